"""Reading tickets: staff see all of them, a customer's people their own."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select

from qikbiz.identity.staff.models import Staff
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import NotFound
from qikbiz.security.ip_reputation.models import AddressRule
from qikbiz.trust.tickets.models import Ticket, TicketMessage
from tenants.control import TenantRecord

PAGE = 50


def ticket_for_staff(reference: str) -> Ticket:
    """Locked, so that two who answer at once do it one after the other. Raises NotFound."""
    query = select(Ticket).where(Ticket.reference == reference.upper()).with_for_update()
    ticket = db.control.scalars(query).one_or_none()
    if ticket is None:
        raise NotFound
    return ticket


def ticket_for_customer(reference: str, tenant_id: UUID, person_id: UUID, *, sees_all: bool) -> Ticket:
    """One's own ticket, or any that was sent from within one's organisation. Raises NotFound."""
    ticket = db.control.scalars(select(Ticket).where(Ticket.reference == reference.upper())).one_or_none()
    if ticket is None or ticket.tenant_id != tenant_id or ticket.person_id is None:
        raise NotFound
    if not sees_all and ticket.person_id != person_id:
        raise NotFound
    return ticket


def tickets_of_customer(tenant_id: UUID, person_id: UUID, *, sees_all: bool) -> Sequence[Ticket]:
    query = select(Ticket).where(Ticket.tenant_id == tenant_id, Ticket.person_id.is_not(None))
    if not sees_all:
        query = query.where(Ticket.person_id == person_id)
    return db.control.scalars(query.order_by(Ticket.changed_at.desc()).limit(PAGE)).all()


def messages_for_customer(ticket: Ticket) -> Sequence[TicketMessage]:
    """Without what staff wrote for each other."""
    return [message for message in messages_of(ticket) if message.author in ("customer", "staff")]


def messages_of(ticket: Ticket) -> Sequence[TicketMessage]:
    query = select(TicketMessage).where(TicketMessage.ticket_id == ticket.id)
    return db.control.scalars(query.order_by(TicketMessage.id)).all()


def work_list(*, state: str, mine: UUID | None = None) -> Sequence[Ticket]:
    """Those whose turn it is come first, the one that waits longest at the top."""
    query = select(Ticket).where(Ticket.state == state)
    if mine is not None:
        query = query.where(Ticket.assigned_to == mine)
    order = (Ticket.waiting_since.asc(), Ticket.id) if state == "open" else (Ticket.changed_at.desc(), Ticket.id.desc())
    return db.control.scalars(query.order_by(*order).limit(PAGE)).all()


def counts() -> dict[str, int]:
    rows = db.control.execute(select(Ticket.state, func.count()).group_by(Ticket.state))
    return {state: int(number) for state, number in rows}


def staff_names() -> dict[UUID, str]:
    return {row.id: row.name for row in db.control.execute(select(Staff.id, Staff.name).where(Staff.state == "active"))}


def tenants_of(tickets: Sequence[Ticket]) -> dict[UUID, TenantRecord]:
    ids = {ticket.tenant_id for ticket in tickets if ticket.tenant_id}
    return {record.id: record for record in db.control.scalars(select(TenantRecord).where(TenantRecord.id.in_(ids)))}


def rule_of(ticket: Ticket) -> AddressRule | None:
    return db.control.get(AddressRule, ticket.rule_id) if ticket.rule_id else None
