"""Is the process up (/healthz), can it serve (/readyz), and its figures (/metrics, never on a tenant's host)."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, current_app, jsonify, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from qikbiz.kernel.access import access
from qikbiz.kernel.database import runtime
from qikbiz.kernel.errors import NotFound
from qikbiz.kernel.permissions import Permission
from qikbiz.web.client_address import is_neighbour
from qikbiz.web.metrics import registry_of_all_processes
from qikbiz.web.platform_metrics import platform_registry
from qikbiz.web.readiness import NEEDED, Readiness


def register(app: Flask) -> None:
    for surface in ("tenant", "console", "site", "unknown"):
        app.register_blueprint(_blueprint(), name=f"health_{surface}", subdomain=surface)
    for surface in ("site", "unknown"):
        app.add_url_rule("/metrics", f"metrics_{surface}", metrics, subdomain=surface)


@access(Permission.PUBLIC, standalone=True)
def alive() -> ResponseReturnValue:
    return jsonify(ok=True)


@access(Permission.PUBLIC, standalone=True)
def ready() -> ResponseReturnValue:
    """503 while something is away without which no page is served; a missing Redis is said but serving goes on."""
    checks = current_app.extensions.setdefault("qikbiz.readiness", Readiness()).checks()
    is_ready = all(checks[name] for name in NEEDED)
    return jsonify(ok=is_ready, checks=checks), 200 if is_ready else 503


@access(Permission.PUBLIC, standalone=True)
def metrics() -> ResponseReturnValue:
    if not is_neighbour(request.environ, runtime().settings.trusted_proxies):
        raise NotFound
    figures = generate_latest(registry_of_all_processes()) + generate_latest(platform_registry())
    return Response(figures, content_type=CONTENT_TYPE_LATEST)


def _blueprint() -> Blueprint:
    health = Blueprint("health", __name__)
    health.add_url_rule("/healthz", view_func=alive)
    health.add_url_rule("/readyz", view_func=ready)
    return health
