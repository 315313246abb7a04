"""What can be done with a ticket, by its author and by staff. Inside `control_transaction()`."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from qikbiz.audit.actions import record_on_platform
from qikbiz.identity.staff.models import Staff
from qikbiz.kernel import clock
from qikbiz.kernel.actors import current_actor
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import Conflict, NotFound
from qikbiz.messaging.mail.addresses import clean_name, deliverable
from qikbiz.trust.tickets.emails import acknowledge, send_answer
from qikbiz.trust.tickets.models import Ticket, TicketMessage
from qikbiz.trust.tickets.texts import body_from, subject_from

STATES = ("open", "waiting", "solved")
# Without letters and digits that look alike.
_LETTERS = "23456789BCDFGHJKMNPQRSTVWXZ"


@dataclass(frozen=True, slots=True)
class Question:
    """A new question. `once` stands for the form or the mail that it came in."""

    name: str
    email: str
    subject: str
    body: str
    topic: str = "question"
    source: str = "site"
    tenant_id: UUID | None = None
    person_id: UUID | None = None
    rule_id: UUID | None = None
    once: str | None = None
    message_id: str | None = None


def open_ticket(question: Question, *, is_acknowledged: bool = True, author: str = "customer") -> Ticket:
    """A new ticket, acknowledged by mail unless that would say nothing; the same form or mail again is the same.

    Raises BadAddress and BadQuestion.
    """
    body, now = body_from(question.body), clock.now()
    ticket = Ticket(
        reference=_new_reference(), topic=question.topic, subject=subject_from(question.subject),
        source=question.source, name=clean_name(question.name), email=deliverable(question.email),
        tenant_id=question.tenant_id, person_id=question.person_id, rule_id=question.rule_id, once=question.once,
        created_at=now, waiting_since=now, changed_at=now, state="open",
    )  # fmt: skip
    try:
        with db.control().begin_nested():
            db.control.add(ticket)
            db.control.flush()
    except IntegrityError:
        if question.once is None:
            raise
        return db.control.scalars(select(Ticket).where(Ticket.once == question.once)).one()
    _write(ticket, author, body, name=ticket.name, author_id=question.person_id, message_id=question.message_id)
    if is_acknowledged:
        acknowledge(ticket, body)
    record_on_platform("ticket.opened", tenant_id=ticket.tenant_id, subject=ticket.reference)
    return ticket


def write_as_customer(
    ticket: Ticket, body: str, *, name: str, person_id: UUID | None = None, message_id: str | None = None
) -> TicketMessage:
    """The customer adds something; a ticket that was solved is open again."""
    message = _write(ticket, "customer", body_from(body), name=name, author_id=person_id, message_id=message_id)
    ticket.state = "open"
    ticket.waiting_since = ticket.waiting_since or message.at
    record_on_platform("ticket.written_on", tenant_id=ticket.tenant_id, subject=ticket.reference)
    return message


def answer(ticket: Ticket, body: str, *, is_solved: bool = False) -> TicketMessage:
    """Staff answer, by mail; then it is the customer's turn, or the ticket is solved."""
    actor = current_actor()
    message = _write(ticket, "staff", body_from(body), name=actor.name, author_id=actor.id)
    send_answer(ticket, message)
    ticket.assigned_to = ticket.assigned_to or actor.id
    ticket.state, ticket.waiting_since = ("solved" if is_solved else "waiting"), None
    record_on_platform(
        "ticket.answered", tenant_id=ticket.tenant_id, subject=ticket.reference, details={"state": ticket.state}
    )
    return message


def add_internal_note(ticket: Ticket, body: str) -> TicketMessage:
    """Something for colleagues; the customer never sees it."""
    actor = current_actor()
    record_on_platform("ticket.noted", tenant_id=ticket.tenant_id, subject=ticket.reference)
    return _write(ticket, "note", body_from(body), name=actor.name, author_id=actor.id)


def record_act(ticket: Ticket, kind: str, act_id: UUID, grant_id: UUID, body: str) -> TicketMessage:
    """Support began something beside the ticket, such as an export, under a grant. Once for each act."""
    query = select(TicketMessage).where(TicketMessage.ticket_id == ticket.id, TicketMessage.act_id == act_id)
    already = db.control.scalars(query).first()
    if already is not None:
        return already
    actor = current_actor()
    message = _write(ticket, "act", body, name=actor.name, author_id=actor.id)
    message.act_kind, message.act_id, message.grant_id = kind, act_id, grant_id
    ticket.assigned_to = ticket.assigned_to or actor.id
    return message


def set_state(ticket: Ticket, state: str) -> None:
    if state not in STATES:
        raise Conflict("A ticket is open, waiting for the customer, or solved.")
    ticket.state, ticket.changed_at = state, clock.now()
    ticket.waiting_since = (ticket.waiting_since or clock.now()) if state == "open" else None
    record_on_platform(
        "ticket.state_set", tenant_id=ticket.tenant_id, subject=ticket.reference, details={"state": state}
    )


def assign(ticket: Ticket, staff_id: UUID | None) -> None:
    if staff_id is not None:
        staff = db.control.get(Staff, staff_id)
        if staff is None or staff.state != "active":
            raise NotFound
    ticket.assigned_to, ticket.changed_at = staff_id, clock.now()
    record_on_platform("ticket.assigned", tenant_id=ticket.tenant_id, subject=ticket.reference)


def _write(
    ticket: Ticket,
    author: str,
    body: str,
    *,
    name: str,
    author_id: UUID | None = None,
    message_id: str | None = None,
) -> TicketMessage:
    message = TicketMessage(
        ticket_id=ticket.id, at=clock.now(), author=author, author_id=author_id, author_name=name, body=body,
        message_id=message_id, act_kind="",
    )  # fmt: skip
    db.control.add(message)
    db.control.flush()
    ticket.changed_at = message.at
    return message


def _new_reference() -> str:
    return "QB-" + "".join(secrets.choice(_LETTERS) for _ in range(7))
