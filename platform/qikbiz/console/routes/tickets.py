"""Support's work list, and one ticket with everything that is done for it: answer, note, export, progress."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from qikbiz.console import support as serving
from qikbiz.console.blueprint import console
from qikbiz.console.forms import AnswerForm, AssignmentForm, ExportForm, StateForm
from qikbiz.console.routes.tenants import tenants
from qikbiz.kernel.access import access
from qikbiz.kernel.errors import Failure, NotFound
from qikbiz.kernel.permissions import Permission, StaffRole
from qikbiz.trust.grants.emails import what_may_be_done
from qikbiz.trust.grants.instructions import can_instruct
from qikbiz.trust.grants.scopes import GrantScope
from qikbiz.trust.grants.tickets import access_of
from qikbiz.trust.tickets import actions, queries
from qikbiz.trust.tickets.models import Ticket, TicketMessage
from qikbiz.trust.tickets.texts import topic_label
from qikbiz.web.flash import show_toast
from tenants.context import Tenant
from tenants.control import new_id

console.add_app_template_filter(topic_label, "ticket_topic")


@console.get("/")
@access(Permission.TENANT_SEE)
def start() -> str:
    """Support begins with what waits for it, everybody else with the tenants."""
    return work() if current_user.role == StaffRole.SUPPORT else tenants()


@console.get("/work")
@access(Permission.TICKET_ANSWER)
def work() -> str:
    state = request.args.get("state", "open")
    state = state if state in actions.STATES else "open"
    mine = current_user.id if request.args.get("mine") else None
    found = queries.work_list(state=state, mine=mine)
    return render_template(
        "console/work.html",
        nav_active="work",
        tickets=found,
        state=state,
        mine=bool(mine),
        counts=queries.counts(),
        names=queries.staff_names(),
        tenants=queries.tenants_of(found),
        access=access_of(found),
    )


@console.get("/tickets/<reference>")
@access(Permission.TICKET_ANSWER)
def ticket(reference: str) -> str:
    return _page(queries.ticket_for_staff(reference))


@console.post("/tickets/<reference>/answers")
@access(Permission.TICKET_ANSWER)
def answer_ticket(reference: str) -> ResponseReturnValue:
    found, form = queries.ticket_for_staff(reference), AnswerForm.sent()
    body, act = form.body.text, form.act.text
    try:
        if act == "note":
            actions.add_internal_note(found, body)
        else:
            actions.answer(found, body, is_solved=act == "solve")
    except Failure as failure:
        return _page(found, body, failure.text), failure.status
    show_toast("Note added." if act == "note" else f"Your reply to {found.name} is on its way.")
    return redirect(url_for("console.ticket", reference=found.reference), 303)


@console.post("/tickets/<reference>/state")
@access(Permission.TICKET_ANSWER)
def set_ticket_state(reference: str) -> ResponseReturnValue:
    found = queries.ticket_for_staff(reference)
    actions.set_state(found, StateForm.sent().state.text)
    return redirect(url_for("console.ticket", reference=found.reference), 303)


@console.post("/tickets/<reference>/assignment")
@access(Permission.TICKET_ANSWER)
def assign_ticket(reference: str) -> ResponseReturnValue:
    found, chosen = queries.ticket_for_staff(reference), AssignmentForm.sent().staff.text
    try:
        actions.assign(found, UUID(chosen) if chosen else None)
    except ValueError:
        raise NotFound from None
    return redirect(url_for("console.ticket", reference=found.reference), 303)


@console.post("/tickets/<reference>/instruction")
@access(Permission.TENANT_EXPORT, fresh=True)
def record_ticket_as_instruction(reference: str) -> ResponseReturnValue:
    """The ticket is what the customer asked for in writing: the customer is notified, and may end it."""
    found = queries.ticket_for_staff(reference)
    serving.record_instruction(_tenant(found), GrantScope.EXPORT, _instruction(found), about=found)
    show_toast("Recorded, and the customer is notified. It can be used once it is confirmed.")
    return redirect(url_for("console.ticket", reference=found.reference) + "#act", 303)


@console.post("/tickets/<reference>/exports")
@access(Permission.TENANT_EXPORT)
def export_for_ticket(reference: str) -> ResponseReturnValue:
    """Begin the export that the customer asked for; whether staff may is decided in `console.support.export_for`."""
    found, form = queries.ticket_for_staff(reference), ExportForm.sent()
    try:
        serving.export_for(
            _tenant(found),
            form.chosen_grant(),
            scope=form.scope.text,
            product=form.product.text,
            export_id=form.given_id(),
            about=found,
        )
    except Failure as failure:
        return _page(found, problem=failure.text or "It could not be started."), failure.status
    return redirect(url_for("console.ticket", reference=found.reference) + "#act", 303)


@console.get("/tickets/<reference>/acts")
@access(Permission.TENANT_EXPORT)
def ticket_acts(reference: str) -> str:
    """How far they are, for the page of the ticket, which asks each second and keeps what is being typed."""
    found = queries.ticket_for_staff(reference)
    return render_template("console/ticket_acts.html", ticket=found, **_acts(found, queries.messages_of(found)))


def _page(found: Ticket, body: str = "", problem: str = "") -> str:
    messages = queries.messages_of(found)
    return render_template(
        "console/ticket.html",
        nav_active="work",
        ticket=found,
        messages=messages,
        **_acts(found, messages),
        tenant_record=queries.tenants_of([found]).get(found.tenant_id) if found.tenant_id else None,
        rule=queries.rule_of(found),
        names=queries.staff_names(),
        **_access(found),
        scopes=serving.export_scopes(),
        products=serving.EXPORT_PRODUCTS,
        body=body,
        problem=problem,
        what=what_may_be_done,
        new_id=new_id,
    )


def _access(found: Ticket) -> dict[str, object]:
    """What lets staff in now: given for this, or else at all; (id, words) of what allows an export; what may come."""
    try:
        tenant = _tenant(found)
    except Failure:
        return {"standing": [], "grants": [], "coming": False, "waiting": [], "may_instruct": False}
    standing = serving.grants_in_force(tenant)
    exporting = [grant for grant in standing if GrantScope.EXPORT in grant.scopes]
    # What was given for this ticket stands first, and so is proposed.
    exporting.sort(key=lambda grant: grant.ticket_id != found.id)
    words = [(str(grant.id), f"{grant.reference}: {grant.reason}") for grant in exporting]
    own = [grant for grant in standing if grant.ticket_id == found.id]
    return {
        "standing": own or standing,
        "grants": words,
        "coming": bool(serving.grants_coming(tenant)),
        "waiting": [one for one in serving.instructions_waiting(tenant) if one.grant.ticket_id == found.id],
        "may_instruct": can_instruct(tenant, found.person_id),
    }


def _acts(found: Ticket, messages: Sequence[TicketMessage]) -> dict[str, object]:
    """What was done for it; nothing can be seen while the tenant is closed, or lets nobody in any more."""
    noted = {message.act_id: message.grant_id for message in messages if message.act_id is not None}
    try:
        tenant = _tenant(found)
    except Failure:
        return {"acts": [], "is_unseen": bool(noted)}
    acts = serving.acts_about(tenant, found, noted)
    return {"acts": acts, "slug": tenant.slug, "is_unseen": bool(noted) and not acts}


def _tenant(found: Ticket) -> Tenant:
    record = queries.tenants_of([found]).get(found.tenant_id) if found.tenant_id else None
    if record is None:
        raise NotFound("The organisation of this ticket is unknown, so it can't be exported.")
    return serving.tenant_to_serve(record.slug)


def _instruction(found: Ticket) -> str:
    who = found.name if found.person_id else f"{found.name} (not signed in)"
    return f"Ticket {found.reference} by {who}, {found.created_at:%Y-%m-%d %H:%M} UTC"
