"""Is the process up (/healthz), can it serve (/readyz), and its figures (/metrics, never on a tenant's host)."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from qikbiz.database import runtime
from qikbiz.failures import NotFound
from qikbiz.permissions import public
from qikbiz.web.client_address import is_neighbour
from qikbiz.web.destinations import answers_alone
from qikbiz.web.figures import registry_of_all_processes
from tenants.redis import RedisAway


def register(app: Flask) -> None:
    for surface in ("tenant", "console", "site", "unknown"):
        app.register_blueprint(_blueprint(), name=f"health_{surface}", subdomain=surface)
    for surface in ("site", "unknown"):
        app.add_url_rule("/metrics", f"metrics_{surface}", metrics, subdomain=surface)


@public
@answers_alone
def alive() -> ResponseReturnValue:
    return jsonify(ok=True)


@public
@answers_alone
def ready() -> ResponseReturnValue:
    """503 while the control database is away; a missing Redis is said but serving goes on."""
    checks = {"control": _control_answers(), "redis": _redis_answers()}
    return jsonify(ok=checks["control"], checks=checks), 200 if checks["control"] else 503


@public
@answers_alone
def metrics() -> ResponseReturnValue:
    if not is_neighbour(request.environ, runtime().settings.trusted_proxies):
        raise NotFound
    return Response(generate_latest(registry_of_all_processes()), content_type=CONTENT_TYPE_LATEST)


def _blueprint() -> Blueprint:
    health = Blueprint("health", __name__)
    health.add_url_rule("/healthz", view_func=alive)
    health.add_url_rule("/readyz", view_func=ready)
    return health


def _control_answers() -> bool:
    try:
        with runtime().control.connect() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return False
    return True


def _redis_answers() -> bool:
    try:
        with runtime().redis.client() as client:
            return bool(client.ping())
    except RedisAway:
        return False
