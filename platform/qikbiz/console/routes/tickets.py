"""Support's work list, and one ticket with everything that is done for it: answer, note, export, progress."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from qikbiz.accounts.freshness import requires_fresh
from qikbiz.console import support as serving
from qikbiz.console.blueprint import console
from qikbiz.console.routes.tenants import tenants
from qikbiz.failures import Conflict, Failure, NotFound
from qikbiz.grants.actions import record_instruction
from qikbiz.grants.scopes import Scope
from qikbiz.permissions import Permission, StaffRole, requires
from qikbiz.tickets import actions, queries
from qikbiz.tickets.models import Ticket, TicketMessage
from qikbiz.tickets.texts import topic_label
from qikbiz.web.toasts import show_toast
from tenants.context import Tenant
from tenants.control import new_id

console.add_app_template_filter(topic_label, "ticket_topic")


@console.get("/")
@requires(Permission.TENANT_SEE)
def start() -> str:
    """Support begins with what waits for it, everybody else with the tenants."""
    return work() if current_user.role == StaffRole.SUPPORT else tenants()


@console.get("/work")
@requires(Permission.TICKET_ANSWER)
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
    )


@console.get("/tickets/<reference>")
@requires(Permission.TICKET_ANSWER)
def ticket(reference: str) -> str:
    return _page(queries.ticket_for_staff(reference))


@console.post("/tickets/<reference>/answers")
@requires(Permission.TICKET_ANSWER)
def answer_ticket(reference: str) -> ResponseReturnValue:
    found, body = queries.ticket_for_staff(reference), request.form.get("body", "")
    act = request.form.get("act", "answer")
    try:
        if act == "note":
            actions.note_internally(found, body)
        else:
            actions.answer(found, body, is_solved=act == "solve")
    except Failure as failure:
        return _page(found, body, failure.text), failure.status
    show_toast("The note is kept." if act == "note" else f"The answer is on its way to {found.name}.")
    return redirect(url_for("console.ticket", reference=found.reference), 303)


@console.post("/tickets/<reference>/state")
@requires(Permission.TICKET_ANSWER)
def set_ticket_state(reference: str) -> ResponseReturnValue:
    found = queries.ticket_for_staff(reference)
    actions.set_state(found, request.form.get("state", ""))
    return redirect(url_for("console.ticket", reference=found.reference), 303)


@console.post("/tickets/<reference>/assignment")
@requires(Permission.TICKET_ANSWER)
def assign_ticket(reference: str) -> ResponseReturnValue:
    found, chosen = queries.ticket_for_staff(reference), request.form.get("staff", "")
    try:
        actions.assign(found, UUID(chosen) if chosen else None)
    except ValueError:
        raise NotFound from None
    return redirect(url_for("console.ticket", reference=found.reference), 303)


@console.post("/tickets/<reference>/instruction")
@requires(Permission.TENANT_EXPORT)
@requires_fresh
def record_ticket_as_instruction(reference: str) -> ResponseReturnValue:
    """The ticket is what the customer asked for in writing: it is told, and may end it."""
    found = queries.ticket_for_staff(reference)
    if found.person_id is None:
        raise Conflict("Nobody was logged in when this was asked, so it is nobody's instruction.")
    record_instruction(_tenant(found), Scope.EXPORT, _instruction(found))
    show_toast("Written down, and the customer is told. It can be used in a moment.")
    return redirect(url_for("console.ticket", reference=found.reference) + "#act", 303)


@console.post("/tickets/<reference>/exports")
@requires(Permission.TENANT_EXPORT)
def export_for_ticket(reference: str) -> ResponseReturnValue:
    """Begin the export that the customer asked for; whether staff may is decided in `console.support.export_for`."""
    found, form = queries.ticket_for_staff(reference), request.form
    try:
        grant_id = UUID(form.get("grant", ""))
        export_id = serving.export_for(
            _tenant(found),
            grant_id,
            scope=form.get("scope", "everything"),
            product=form.get("product", "portable"),
            export_id=_given_id(),
        )
    except ValueError:
        return _page(found, problem="Choose by which access or instruction."), 400
    except Failure as failure:
        return _page(found, problem=failure.text or "It could not be begun."), failure.status
    actions.note_act(found, "exports", export_id, grant_id, "An export was begun.")
    return redirect(url_for("console.ticket", reference=found.reference) + "#act", 303)


@console.get("/tickets/<reference>/acts/<uuid:act_id>")
@requires(Permission.TENANT_EXPORT)
def ticket_act(reference: str, act_id: UUID) -> str:
    """How far it is, for the page of the ticket, which asks each second and keeps what is being typed."""
    found = queries.ticket_for_staff(reference)
    message = next((one for one in queries.messages_of(found) if one.act_id == act_id), None)
    if message is None:
        raise NotFound
    return render_template("console/ticket_act.html", ticket=found, act=_act(found, message))


def _page(found: Ticket, body: str = "", problem: str = "") -> str:
    messages = queries.messages_of(found)
    begun = [message for message in messages if message.act_id is not None]
    return render_template(
        "console/ticket.html",
        nav_active="work",
        ticket=found,
        messages=messages,
        act=_act(found, begun[-1]) if begun else None,
        tenant_record=queries.tenants_of([found]).get(found.tenant_id) if found.tenant_id else None,
        rule=queries.rule_of(found),
        names=queries.staff_names(),
        **_access(found),
        scopes=serving.EXPORT_SCOPES,
        products=serving.EXPORT_PRODUCTS,
        body=body,
        problem=problem,
        new_id=new_id,
    )


def _access(found: Ticket) -> dict[str, Any]:
    """By what an export may be made: (id, words) of the grants in force, and whether one is being prepared."""
    try:
        tenant = _tenant(found)
    except Failure:
        return {"grants": [], "coming": False}
    grants = [grant for grant in serving.grants_in_force(tenant) if Scope.EXPORT in grant.scopes]
    words = [(str(grant.id), f"{grant.reference}: {grant.reason}") for grant in grants]
    return {"grants": words, "coming": bool(serving.grants_coming(tenant))}


def _act(found: Ticket, message: TicketMessage) -> Any:
    """The act, or None when it can't be looked at now: the tenant is closed, or lets nobody in any more."""
    try:
        if message.act_id is None or message.grant_id is None:
            return None
        return serving.act_for(_tenant(found), message.grant_id, message.act_kind, message.act_id)
    except Failure:
        return None


def _tenant(found: Ticket) -> Tenant:
    record = queries.tenants_of([found]).get(found.tenant_id) if found.tenant_id else None
    if record is None:
        raise NotFound("Nobody knows from which organisation this was asked, so nothing can be exported for it.")
    return serving.tenant_to_serve(record.slug)


def _instruction(found: Ticket) -> str:
    who = found.name if found.person_id else f"{found.name} (not logged in)"
    return f"Ticket {found.reference} by {who}, {found.created_at:%Y-%m-%d %H:%M} UTC"


def _given_id() -> UUID:
    try:
        return UUID(request.form.get("id", ""))
    except ValueError:
        return new_id()
