"""A tenant's pages about who of QikBiz may come in, and who did; and the page by which they come in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from qikbiz.audit.labels import detail_lines, heading
from qikbiz.crm.records.audit_labels import record_url
from qikbiz.crm.schema.registry import RECORD_TYPES
from qikbiz.kernel import clock
from qikbiz.kernel.access import access
from qikbiz.kernel.database import control_transaction
from qikbiz.kernel.permissions import Action, AnyPermission, Permission, record_permission
from qikbiz.trust.grants import actions, instructions, support_sessions
from qikbiz.trust.grants.actions import BadGrant
from qikbiz.trust.grants.audit_trail import acts_under
from qikbiz.trust.grants.emails import what_may_be_done
from qikbiz.trust.grants.forms import GrantForm, PolicyForm
from qikbiz.trust.grants.models import Grant
from qikbiz.trust.grants.overview import overview
from qikbiz.trust.grants.queries import (
    access_policy,
    grant_of,
    grants_of,
    instruction_of,
    is_in_force,
    is_opening,
    is_standing,
    names_of,
    visits_of,
)
from qikbiz.trust.tickets.models import Ticket
from qikbiz.trust.tickets.queries import ticket_for_customer, tickets_of_customer
from qikbiz.web.flash import show_toast
from qikbiz.web.viewer import time_zone
from tenants.context import current_tenant

grants = Blueprint("grants", __name__, template_folder="templates")


@grants.get("/access")
@access(Permission.GRANT_GIVE)
def index() -> ResponseReturnValue:
    with control_transaction() as control:
        lines = [_line(grant) for grant in grants_of(control, current_tenant().id)]
        policy = access_policy(control, current_tenant().id)
        return render_template("grants/index.html", nav_active="grants", lines=lines, policy=policy, waits=_WAITS)


@grants.post("/access/policy")
@access(Permission.GRANT_GIVE, fresh=True)
def set_policy() -> ResponseReturnValue:
    """Whether a second member of staff may confirm what a ticket asks for, and how long it waits then."""
    form = PolicyForm.sent()
    chosen = form.wait_hours.text
    if chosen not in dict(_WAITS):
        raise BadGrant("Choose a waiting time from the list. Nothing was changed.")
    instructions.set_access_policy(staff_may_confirm=form.staff_may_confirm.data, wait_hours=int(chosen))
    show_toast("Saved.")
    return redirect(url_for(".index"), 303)


@grants.get("/access/entries")
@access(Permission.GRANT_GIVE)
def entries() -> ResponseReturnValue:
    with control_transaction() as control:
        found = visits_of(control, current_tenant().id)
        return render_template("grants/entries.html", nav_active="grants", entries=found)


@grants.get("/access/now")
@access(Permission.GRANT_GIVE)
def reach_now() -> ResponseReturnValue:
    """Everybody who can reach the data at this moment."""
    with control_transaction() as control:
        found = overview(control, current_tenant().id)
        return render_template("grants/now.html", nav_active="grants", found=found, words=heading)


@grants.get("/access/new")
@access(Permission.GRANT_GIVE)
def new() -> ResponseReturnValue:
    with control_transaction():
        form = _form()
        tomorrow = clock.now().astimezone(time_zone()) + timedelta(hours=actions.PROPOSED_HOURS)
        form.ends_at.data = tomorrow.replace(second=0, microsecond=0, tzinfo=None)
        form.about.data = request.args.get("about", "")
        return render_template("grants/new.html", nav_active="grants", form=form)


@grants.post("/access")
@access(Permission.GRANT_GIVE, fresh=True)
def give() -> ResponseReturnValue:
    with control_transaction():
        form = _form()
        if form.validate_on_submit():
            try:
                grant = actions.give_grant(
                    staff_ids=form.staff_ids,
                    scopes=form.scopes.data or [],
                    reason=form.reason.data or "",
                    ends_at=_in_zone(form.ends_at.data),
                    about=_ticket(form.about.data) if form.about.data else None,
                )
            except BadGrant as bad:
                form.form_errors.append(bad.text)
            else:
                show_toast("Access granted. Each use is listed here, and you can end it at any time.")
                return redirect(url_for(".show", grant_id=grant.id), 303)
        return render_template("grants/new.html", nav_active="grants", form=form), 422


@grants.get("/access/<uuid:grant_id>")
@access(Permission.GRANT_GIVE)
def show(grant_id: UUID) -> ResponseReturnValue:
    with control_transaction() as control:
        grant = grant_of(control, current_tenant().id, grant_id)
        if request.headers.get("HX-Request"):
            return still_waiting(is_coming=_line(grant)["is_coming"])
        acts = [(event, heading(event.action), detail_lines(event), record_url(event)) for event in acts_under(grant)]
        return render_template(
            "grants/show.html",
            nav_active="grants",
            line=_line(grant),
            entries=visits_of(control, grant.tenant_id, grant.id),
            acts=acts,
            words=instruction_of(grant),
        )


@grants.post("/access/<uuid:grant_id>/confirmation")
@access(Permission.GRANT_GIVE, fresh=True)
def confirm(grant_id: UUID) -> ResponseReturnValue:
    """The organisation says that it asked for this: from now on staff may act on it."""
    with control_transaction() as control:
        grant = grant_of(control, current_tenant().id, grant_id)
        instructions.confirm_as_customer(grant)
    show_toast(f"{grant.reference} is confirmed. Each action is listed here, and you can end it at any time.")
    return redirect(url_for(".show", grant_id=grant_id), 303)


@grants.post("/access/<uuid:grant_id>/end")
@access(Permission.GRANT_GIVE)
def end(grant_id: UUID) -> ResponseReturnValue:
    with control_transaction() as control:
        grant = grant_of(control, current_tenant().id, grant_id)
        actions.end_grant(grant)
    show_toast(f"{grant.reference} has ended.")
    return redirect(url_for(".show", grant_id=grant_id), 303)


@grants.get("/visit/<secret>")
@access(Permission.PUBLIC)
def door(secret: str) -> ResponseReturnValue:
    with control_transaction():
        _visit, grant = support_sessions.ticket_for(secret)
        return render_template("grants/door.html", grant=grant, what=what_may_be_done(grant), secret=secret)


@grants.post("/visit/<secret>")
@access(Permission.PUBLIC)
def come_in(secret: str) -> ResponseReturnValue:
    support_sessions.come_in(secret)
    return redirect(url_for(".start"), 303)


@grants.get("/visit")
@access(Permission.PUBLIC)
def start() -> ResponseReturnValue:
    """Where a guest begins: the first part of the product that the grant opens."""
    for permission, endpoint in _first_pages():
        if current_user.can(permission):
            return redirect(url_for(endpoint), 303)
    return redirect("/", 303)


@grants.post("/visit/end")
@access(Permission.PUBLIC)
def leave() -> ResponseReturnValue:
    if isinstance(current_user._get_current_object(), support_sessions.GuestPerson):
        support_sessions.leave(current_user)
    return redirect("/login", 303)


_WAITS = [("24", "24 hours"), ("48", "2 days"), ("72", "3 days"), ("168", "7 days")]


def _first_pages() -> Iterator[tuple[AnyPermission, str]]:
    """Where a guest may begin, each page with the permission that opens it."""
    for kind in RECORD_TYPES.values():
        yield record_permission(kind.name, Action.SEE), f"{kind.plural}.index"
    yield Permission.IMPORT_SEE, "imports.index"
    yield Permission.EXPORT_ASK, "exports.index"


def still_waiting(*, is_coming: object) -> ResponseReturnValue:
    """What a page that waits for a login is told: nothing yet, or to load itself again."""
    return "", 204, {} if is_coming else {"HX-Refresh": "true"}


def _line(grant: Grant) -> dict[str, object]:
    return {
        "grant": grant,
        "who": names_of(grant),
        "what": what_may_be_done(grant),
        "is_in_force": is_in_force(grant),
        "is_coming": is_opening(grant),
        "opens_later": is_standing(grant) and grant.opens_at is not None and grant.opens_at > clock.now(),
        "can_confirm": is_standing(grant) and grant.state == "waiting",
        "can_end": is_standing(grant),
    }


def _form() -> GrantForm:
    asked = tickets_of_customer(current_tenant().id, current_user.id, sees_all=current_user.can(Permission.USER_MANAGE))
    return GrantForm.offered([ticket for ticket in asked if ticket.state != "solved"])


def _ticket(reference: str) -> Ticket:
    sees_all = current_user.can(Permission.USER_MANAGE)
    return ticket_for_customer(reference, current_tenant().id, current_user.id, sees_all=sees_all)


def _in_zone(given: datetime | None) -> datetime:
    if given is None:
        raise BadGrant("Enter a date and time.")
    return given.replace(tzinfo=time_zone())
