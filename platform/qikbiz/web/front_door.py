"""Every request passes here: host → tenant, person, declared permission, one transaction, then the view."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from flask import Flask, Request, current_app, g, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from qikbiz.actors import ANONYMOUS, Actor, acting_as
from qikbiz.database import control_work, runtime, tenant_work
from qikbiz.failures import Forbidden, NotFound, Unavailable
from qikbiz.permissions import Permission, permission_of
from tenants.context import Tenant
from tenants.control import new_id
from tenants.directory import Destination, DirectoryAway
from tenants.versions import is_served

DESTINATION = "qikbiz.destination"


class UnknownHost(NotFound):
    """No tenant, console or site answers to this host name. The page names nobody."""

    key = "unknown_host"


class TenantClosed(NotFound):
    status, key = 410, "tenant_closed"


class TenantSuspended(Unavailable):
    status, key = 403, "tenant_suspended"


class Maintenance(Unavailable):
    """The tenant's schema is at a version that this program can't serve."""

    key = "maintenance"


class LoginNeeded(Forbidden):
    """Nobody is logged in; pages send the visitor to the login page, fragments say so."""

    status, key = 401, "login_needed"


class QikBiz(Flask):
    """Flask, with the host deciding which routes exist: tenant, console, site, or none.

    Blueprints are registered with `subdomain=` one of those surfaces, so a console route can't even be built on a
    tenant's host.
    """

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        if request is None:
            return None
        destination = self._destination(request)
        return self.url_map.bind(
            destination.host or "unknown",
            subdomain=destination.surface,
            url_scheme=request.scheme,
            default_method=request.method,
            path_info=request.environ.get("PATH_INFO", "/"),
            script_name=request.environ.get("SCRIPT_NAME", ""),
            query_args=request.environ.get("QUERY_STRING", ""),
        )

    def dispatch_request(self) -> ResponseReturnValue:
        with request_work():
            return super().dispatch_request()

    def _destination(self, request: Request) -> Destination:
        try:
            found = self.extensions["qikbiz"].directory.resolve(request.environ.get("HTTP_HOST"))
        except DirectoryAway:
            request.environ["qikbiz.directory_away"] = True
            found = Destination("unknown", "")
        request.environ[DESTINATION] = found
        return found


def register(app: QikBiz) -> None:
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.before_request(_name_request)


def destination() -> Destination:
    """Where the request at hand goes."""
    found: Destination = request.environ[DESTINATION]
    return found


@contextmanager
def request_work() -> Iterator[None]:
    """The transaction of a request, entered only after host, tenant and route are known to be servable."""
    if request.environ.get("qikbiz.directory_away"):
        raise Unavailable
    where = destination()
    permission = _declared_permission()
    with ExitStack() as work:
        if where.tenant is not None:
            _refuse_unservable(where.tenant)
            work.enter_context(tenant_work(where.tenant))
        elif where.surface == "console":
            work.enter_context(control_work())
        person = current_user if where.surface in ("tenant", "console") else None
        work.enter_context(acting_as(_actor(person)))
        _check_permission(permission, person)
        yield


def _name_request() -> None:
    g.request_id = request_id()


def request_id() -> str:
    """A reference for this request: on its log lines, its error page and its audit rows."""
    if "qikbiz.request_id" not in request.environ:
        request.environ["qikbiz.request_id"] = new_id().hex[-12:]
    return str(request.environ["qikbiz.request_id"])


def _declared_permission() -> Permission:
    if request.routing_exception is not None:
        if destination().surface == "unknown":
            raise UnknownHost
        raise request.routing_exception
    view = current_app.view_functions[str(request.endpoint)]
    permission = permission_of(view)
    if permission is None:
        # Fails closed; the test over the URL map finds it long before a visitor does.
        raise Forbidden("This page has no declared permission, so it is not served.")
    return permission


def _refuse_unservable(tenant: Tenant) -> None:
    if tenant.state in ("closed", "closing"):
        raise TenantClosed
    if tenant.state == "suspended":
        raise TenantSuspended(tenant.state_reason)
    if tenant.state != "active":
        raise UnknownHost
    if not is_served(tenant.version):
        raise Maintenance


def _actor(person: Any) -> Actor:
    if person is None or not person.is_authenticated:
        return Actor(ANONYMOUS.kind, request_id=request_id())
    kind = "staff" if destination().surface == "console" else "user"
    return Actor(kind, person.id, person.name, request_id=request_id())


def _check_permission(permission: Permission, person: Any) -> None:
    if permission is Permission.PUBLIC:
        return
    if person is None or not person.is_authenticated:
        raise LoginNeeded
    if not person.can(permission):
        raise Forbidden


__all__ = ["HTTPException", "LoginNeeded", "QikBiz", "destination", "register", "request_id", "runtime"]
