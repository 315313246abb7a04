"""Tenants: list, one of them, and what operators may do to it."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from qikbiz.audit.verification import state_of
from qikbiz.console import actions, closures, queries, tenant_actions
from qikbiz.console.blueprint import console
from qikbiz.console.forms import DeletionForm, SeatsForm, TenantForm, TypedForm
from qikbiz.kernel import clock
from qikbiz.kernel.access import access
from qikbiz.kernel.database import db, runtime
from qikbiz.kernel.errors import Failure
from qikbiz.kernel.permissions import Permission
from qikbiz.web.flash import show_toast
from qikbiz.web.forms import ReasonForm

STATES = ("active", "suspended", "creating", "closing", "closed")


@console.get("/tenants")
@access(Permission.TENANT_SEE)
def tenants() -> str:
    search, state = request.args.get("q", "")[:200], request.args.get("state", "")
    sort, page = request.args.get("sort", "name"), request.args.get("page", 1, type=int)
    found = queries.tenants(search=search, state=state if state in STATES else "", sort=sort, page=page)
    return render_template(
        "console/tenants.html",
        nav_active="tenants",
        tenants=found[: queries.PAGE],
        has_next=len(found) > queries.PAGE,
        page=page,
        search=search,
        state=state,
        states=STATES,
        sort=sort,
        totals=queries.totals(),
    )


@console.get("/tenants/new")
@access(Permission.TENANT_CREATE)
def new_tenant() -> str:
    return _creation_form({}, "")


@console.post("/tenants")
@access(Permission.TENANT_CREATE)
def create_tenant() -> ResponseReturnValue:
    given = TenantForm.sent().texts
    missing = [label for name, label in _LABELS.items() if not given[name]]
    if missing:
        return _creation_form(given, f"Enter {', '.join(missing)}."), 400
    try:
        job = actions.ask_for_tenant(**given)
    except Failure as failure:
        return _creation_form(given, failure.text), failure.status
    return redirect(url_for("console.job", job_id=job.id))


@console.get("/tenants/<slug>")
@access(Permission.TENANT_SEE)
def tenant(slug: str) -> str:
    found = queries.tenant_by_slug(slug)
    settings = runtime().settings
    return render_template(
        "console/tenant.html",
        nav_active="tenants",
        tenant_record=found,
        url=settings.origin(f"{found.slug}.{settings.base_domain}"),
        domains=queries.domains_of(found.id),
        failed_migrations=queries.failed_migrations(found.id),
        audit_check=state_of(db.control(), found.id),
        events=queries.audit_events(tenant_id=found.id, limit=20)[:20],
        proposal=closures.proposal_for(found),
        now=clock.now(),
    )


@console.post("/tenants/<slug>/suspension")
@access(Permission.TENANT_SUSPEND)
def suspend_tenant(slug: str) -> ResponseReturnValue:
    found = tenant_actions.suspend_tenant(db.control(), slug, ReasonForm.sent().reason.text)
    show_toast(f"{found.name} is suspended.", undo_url=url_for("console.resume_tenant", slug=found.slug))
    return redirect(url_for("console.tenant", slug=found.slug))


@console.post("/tenants/<slug>/resumption")
@access(Permission.TENANT_SUSPEND)
def resume_tenant(slug: str) -> ResponseReturnValue:
    found = tenant_actions.resume_tenant(db.control(), slug)
    show_toast(f"{found.name} is active again.")
    return redirect(url_for("console.tenant", slug=found.slug))


@console.post("/tenants/<slug>/seats")
@access(Permission.TENANT_LIMIT)
def limit_seats(slug: str) -> ResponseReturnValue:
    found = tenant_actions.limit_seats(db.control(), slug, _seats_typed())
    show_toast(f"The seat limit of {found.name} is now {found.seats}." if found.seats else "The seat limit is removed.")
    return redirect(url_for("console.tenant", slug=found.slug), 303)


@console.post("/tenants/<slug>/deletion")
@access(Permission.TENANT_DELETE, fresh=True)
def delete_tenant(slug: str) -> ResponseReturnValue:
    form = DeletionForm.sent()
    found = actions.end_contract(slug, form.typed.text, form.reason.text, form.days.data or 0)
    if found.state == "closing":
        show_toast(f"{found.name} is closed.", undo_url=url_for("console.resume_tenant", slug=found.slug))
    else:
        show_toast("Proposed. Nothing changes for the customer until another operator confirms it.")
    return redirect(url_for("console.tenant", slug=found.slug))


@console.post("/tenants/<slug>/deletion/confirmation")
@access(Permission.TENANT_DELETE, fresh=True)
def confirm_deletion(slug: str) -> ResponseReturnValue:
    closing = closures.confirm(db.control(), slug, confirmation=TypedForm.sent().typed.text.strip())
    if closing is None:
        show_toast("Confirmed by the first of two operators. Another operator has to confirm it.")
        return redirect(url_for("console.tenant", slug=slug), 303)
    show_toast("The contract is ended. All administrators get an email, and all data is exported.")
    return redirect(url_for("closings.show", closing_id=closing.id), 303)


@console.post("/tenants/<slug>/deletion/withdrawal")
@access(Permission.TENANT_DELETE)
def withdraw_deletion(slug: str) -> ResponseReturnValue:
    closures.withdraw(db.control(), slug)
    show_toast("The proposal is withdrawn.")
    return redirect(url_for("console.tenant", slug=slug), 303)


def _seats_typed() -> int | None:
    typed = SeatsForm.sent().seats.text
    if not typed:
        return None
    if not (typed.isascii() and typed.isdigit() and len(typed) < 10):
        raise tenant_actions.BadTenant(f"“{typed[:20]}” isn't a valid number of seats. Leave it empty for no limit.")
    return int(typed)


_LABELS = {"name": "the organisation's name", "slug": "the address", "admin_email": "the administrator's email"}


def _creation_form(given: dict[str, str], problem: str) -> str:
    return render_template(
        "console/new_tenant.html",
        nav_active="tenants",
        given=given,
        problem=problem,
        base_domain=runtime().settings.base_domain,
    )
