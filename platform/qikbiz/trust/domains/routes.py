"""The administrators' page about domains of their own, and the question of the proxies: is this name known here?"""

from __future__ import annotations

from flask import Blueprint, Flask, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from qikbiz.kernel.access import access
from qikbiz.kernel.database import control_transaction, runtime
from qikbiz.kernel.errors import Failure, NotFound, TooMany
from qikbiz.kernel.permissions import Permission
from qikbiz.trust.domains import actions
from qikbiz.trust.domains.forms import DomainForm
from qikbiz.trust.domains.queries import domains_of, may_be_certified
from qikbiz.trust.domains.unknown_names import asked_too_often
from qikbiz.web.client_address import is_neighbour
from qikbiz.web.flash import show_toast
from tenants.context import current_tenant
from tenants.directory import normalise_host

domains = Blueprint("domains", __name__, template_folder="templates")


def register(app: Flask) -> None:
    app.register_blueprint(domains, subdomain="tenant")
    # A proxy asks the program by its address, which is no tenant's name.
    for surface in ("site", "unknown"):
        app.add_url_rule("/internal/domains/ask", f"domains_ask_{surface}", ask, subdomain=surface)


@domains.get("/domains")
@access(Permission.POLICY_SET)
def index() -> ResponseReturnValue:
    return _page()


@domains.post("/domains")
@access(Permission.POLICY_SET, fresh=True)
def add() -> ResponseReturnValue:
    text = DomainForm.sent().host.text[:300]
    try:
        with control_transaction():
            domain = actions.add_domain(current_tenant(), text)
            show_toast(f"{domain.host} is added. Now verify it.")
    except Failure as failure:
        return _page(text, failure.text), failure.status
    return redirect(url_for(".index"), 303)


@domains.post("/domains/<host>/verification")
@access(Permission.POLICY_SET, fresh=True)
def verify(host: str) -> ResponseReturnValue:
    try:
        with control_transaction():
            domain = actions.verify_domain(current_tenant(), host)
            show_toast(f"{domain.host} is verified and active.")
    except NotFound:
        raise
    except Failure as failure:
        return _page(problem_of=host, problem=failure.text), failure.status
    return redirect(url_for(".index"), 303)


@domains.post("/domains/<host>/removal")
@access(Permission.POLICY_SET, fresh=True)
def remove(host: str) -> ResponseReturnValue:
    tenant = current_tenant()
    with control_transaction():
        actions.remove_domain(tenant, host)
    show_toast(f"{host} is removed.")
    if normalise_host(request.host) == host:
        # This very name is gone; the way on leads by the tenant's other one.
        return redirect(runtime().settings.origin(tenant.host) + url_for(".index"), 303)
    return redirect(url_for(".index"), 303)


@access(Permission.PUBLIC, standalone=True)
def ask() -> ResponseReturnValue:
    """200 for a name that we serve, 404 for any other: a proxy gets certificates for the former only.

    Caddy asks so (`on_demand_tls`). Nobody behind a proxy gets an answer, so that names can't be guessed here.
    """
    if not is_neighbour(request.environ, runtime().settings.trusted_proxies):
        raise NotFound
    name = request.args.get("domain", "")
    if name == normalise_host(name) and may_be_certified(runtime().directory.resolve(name)):
        return _short("yes\n", 200)
    if asked_too_often():
        raise TooMany
    return _short("no\n", 404)


def _page(text: str = "", problem: str = "", *, problem_of: str = "") -> str:
    tenant = current_tenant()
    with control_transaction():
        found = [(domain, actions.proof_of(domain, tenant)) for domain in domains_of(tenant.id)]
    return render_template(
        "domains/index.html",
        domains=found,
        host=tenant.host,
        origin=runtime().settings.origin,
        is_full=len(found) >= actions.MOST_DOMAINS,
        text=text,
        problem=problem,
        problem_of=problem_of,
    )


def _short(text: str, status: int) -> Response:
    return Response(text, status, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"})
