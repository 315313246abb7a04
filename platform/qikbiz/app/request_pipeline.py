"""Every request passes here: host → tenant, person, declared permission, one transaction, then the view.

The order is the point: nothing is parsed before the sizes are known, nobody is asked about before the host is, and the
view runs only when permission, form token and freshness are right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from flask import Flask, Request, current_app, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.exceptions import NotFound as NoRoute
from werkzeug.routing import MapAdapter, RequestRedirect

from qikbiz.app.permission_checks import check_permission, refuse_from_outside, refuse_nobody
from qikbiz.identity.accounts.principal import Anonymous, CurrentUser, Principal
from qikbiz.identity.accounts.reauthentication import ConfirmationNeeded
from qikbiz.identity.roles.view_as import refuse_acts
from qikbiz.kernel.access import AccessRule, rule_of
from qikbiz.kernel.actors import ANONYMOUS, Actor, acting_as
from qikbiz.kernel.database import control_transaction, runtime, tenant_transaction
from qikbiz.kernel.errors import Blocked, NotFound, Unavailable
from qikbiz.kernel.read_only import refuse_request
from qikbiz.security.access_log.kinds import AccessKind
from qikbiz.security.access_log.recorder import failures_written_afterwards, record_access
from qikbiz.security.ip_reputation.check import admit_anonymous
from qikbiz.security.ip_reputation.events import record_event
from qikbiz.security.ip_reputation.signals import is_probe
from qikbiz.trust.grants import support_sessions
from qikbiz.web import cookies
from qikbiz.web.client_address import client_address
from qikbiz.web.conflict_retry import retry_on_conflict
from qikbiz.web.csrf import check_csrf
from qikbiz.web.request_context import DESTINATION, destination, request_id
from tenants.context import Tenant
from tenants.directory import Destination, DirectoryAway
from tenants.schema_version import is_served

# Forms that anyone may send are small; only people who may upload make us read more.
PUBLIC_FORM_BYTES = 64 * 1024
_READING = ("GET", "HEAD", "OPTIONS")
ANYONE = Anonymous()


class UnknownHost(NotFound):
    """No tenant, console or site answers to this host name. The page names nobody."""

    key = "unknown_host"


class TenantClosed(NotFound):
    status, key = 410, "tenant_closed"


class Maintenance(Unavailable):
    """The tenant's schema is at a version that this program can't serve."""

    key = "maintenance"


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
        return retry_on_conflict(self._dispatch_in_a_transaction)

    def _dispatch_in_a_transaction(self) -> ResponseReturnValue:
        with request_transaction():
            answer = super().dispatch_request()
            if isinstance(current_user, support_sessions.GuestPerson):
                support_sessions.record_page_view(current_user)
            return answer

    def _destination(self, request: Request) -> Destination:
        try:
            found: Destination = self.extensions["qikbiz"].directory.resolve(request.environ.get("HTTP_HOST"))
        except DirectoryAway:
            request.environ["qikbiz.directory_away"] = True
            found = Destination("unknown", "")
        request.environ[DESTINATION] = found
        return found


def register(app: QikBiz) -> None:
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.context_processor(_what_pages_know)


@contextmanager
def request_transaction() -> Iterator[None]:
    """The transaction of a request, entered only after host, tenant and route are known to be servable."""
    cookies.refuse_oversize()
    if request.environ.get("qikbiz.directory_away"):
        raise Unavailable
    where, rule = destination(), rule_of(_view())
    with ExitStack() as work:
        if rule.standalone:
            yield
            return
        if where.tenant is not None:
            _refuse_unservable(where.tenant, rule)
            work.enter_context(failures_written_afterwards(where.tenant))
            inside = support_sessions.person_of_request(where.tenant)
            work.enter_context(tenant_transaction(where.tenant, guest=inside.guest if inside else None))
        elif where.surface == "console":
            work.enter_context(control_transaction())
        # A sealed link is its own right, and is sent by servers of mail programs: who and from where does not matter.
        person = ANYONE if rule.sealed_link else _person(where, rule)
        work.enter_context(acting_as(_actor(person)))
        refuse_nobody(rule, person)
        if where.tenant is not None:
            # Before the rights, which are narrower meanwhile: the page shall say why (promise P13).
            refuse_request(where.tenant, rule, request.method)
        check_permission(rule, person)
        refuse_from_outside(rule, person)
        if rule.is_public:
            request.max_content_length = PUBLIC_FORM_BYTES
        if not rule.sealed_link:
            check_csrf()
        refuse_acts(person, rule, is_reading=request.method in _READING)
        if rule.fresh and not person.is_fresh:
            raise ConfirmationNeeded
        work.enter_context(cookies.kept_only_if_committed())
        yield


@contextmanager
def page_transaction() -> Iterator[None]:
    """A transaction for a page about a request whose own one is over: as the signed-in user, and only to read."""
    where = destination()
    with ExitStack() as work:
        if where.tenant is not None:
            inside = support_sessions.person_of_request(where.tenant)
            work.enter_context(tenant_transaction(where.tenant, guest=inside.guest if inside else None))
        else:
            work.enter_context(control_transaction())
        work.enter_context(acting_as(_actor(current_user)))
        yield


def _view() -> Callable[..., object]:
    if request.routing_exception is not None:
        _redirect_from_www()
        _record_suspicious_request(request.routing_exception)
        if destination().surface == "unknown":
            raise UnknownHost
        raise request.routing_exception
    return current_app.view_functions[str(request.endpoint)]


def _redirect_from_www() -> None:
    """Raises RequestRedirect from `www.` before a tenant's name to the tenant: people type it by habit."""
    where = destination()
    if where.surface != "unknown" or not where.host.startswith("www."):
        return
    meant = runtime().directory.resolve(where.host.removeprefix("www."))
    if meant.tenant is not None:
        raise RequestRedirect(runtime().settings.origin(meant.host) + request.full_path.rstrip("?"))


def _record_suspicious_request(error: Exception) -> None:
    if destination().surface == "unknown":
        record_event("bad_host")
    elif isinstance(error, NoRoute) and is_probe(request.path) and not _is_signed_in():
        record_event("probe")


def _is_signed_in() -> bool:
    return cookies.SESSION.name in request.cookies and bool(current_user.is_authenticated)


def _refuse_unservable(tenant: Tenant, rule: AccessRule) -> None:
    # A suspended one is open: what may be done in it is asked for each page (kernel/read_only.py).
    is_open = tenant.state in ("active", "suspended") or (tenant.state == "closing" and rule.sealed_link)
    if not is_open and tenant.state in ("closed", "closing"):
        raise TenantClosed
    if not is_open:
        raise UnknownHost
    if not is_served(tenant.version):
        raise Maintenance


def _person(where: Destination, rule: AccessRule) -> CurrentUser:
    """Load the user. A stranger's address is checked first; a signed-in user is never stopped by it."""
    if where.surface not in ("tenant", "console"):
        return ANYONE
    if not current_user.is_authenticated and not rule.while_blocked:
        _admit_stranger(where)
    found: CurrentUser = current_user
    return found


def _admit_stranger(where: Destination) -> None:
    address = client_address(request.environ, runtime().settings.trusted_proxies)
    try:
        admit_anonymous(address, where.tenant.id if where.tenant else None)
    except Blocked as blocked:
        record_access(AccessKind.BLOCKED, "refused", detail=f"Reference {blocked.text}")
        raise


def _actor(person: CurrentUser) -> Actor:
    if not isinstance(person, Principal):
        return Actor(ANONYMOUS.kind, request_id=request_id())
    if isinstance(person, support_sessions.GuestPerson):
        return support_sessions.actor_of(person)
    return Actor(person.kind, person.id, person.name, request_id=request_id(), rights=person.rights)


def _what_pages_know() -> dict[str, object]:
    return {"tenant": destination().tenant, "request_id": request_id()} if request else {}


__all__ = ["QikBiz", "destination", "page_transaction", "register", "request_id", "runtime"]
