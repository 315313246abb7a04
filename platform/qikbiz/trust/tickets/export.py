"""What an organisation and our support wrote to each other, as rows for the export of everything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute

from qikbiz.kernel.database import control_transaction
from qikbiz.transfer.exports.contributions import BesideFile
from qikbiz.trust.tickets.models import Ticket, TicketMessage

Columns = tuple[tuple[str, str], ...]
Row = tuple[str | None, ...]
_TEXT, _MOMENT = "text", "timestamp with time zone"
TICKETS: Columns = (
    ("reference", _TEXT),
    ("topic", _TEXT),
    ("subject", _TEXT),
    ("state", _TEXT),
    ("asked_by", "uuid"),
    ("name", _TEXT),
    ("email", _TEXT),
    ("created_at", _MOMENT),
    ("changed_at", _MOMENT),
)
MESSAGES: Columns = (
    ("ticket", _TEXT),
    ("at", _MOMENT),
    ("author", _TEXT),
    ("author_name", _TEXT),
    ("body", _TEXT),
)
# As its people see them under Help: what staff wrote for each other is not a part of it.
_SHOWN = ("customer", "staff")
_AT_ONCE = 500


def conversations(tenant_id: UUID) -> Iterator[BesideFile]:
    """The tickets that were sent from within a tenant, and what was written in them."""
    yield BesideFile("support_tickets", TICKETS, _tickets(tenant_id))
    yield BesideFile("support_messages", MESSAGES, _messages(tenant_id))


def _tickets(tenant_id: UUID) -> Iterator[Row]:
    wanted = select(Ticket).where(Ticket.tenant_id == tenant_id, Ticket.person_id.is_not(None)).order_by(Ticket.id)
    for (one,) in _pages(wanted, Ticket.id):
        moments = (_moment(one.created_at), _moment(one.changed_at))
        yield (one.reference, one.topic, one.subject, one.state, str(one.person_id), one.name, one.email, *moments)


def _messages(tenant_id: UUID) -> Iterator[Row]:
    wanted = (
        select(TicketMessage, Ticket.reference)
        .join(Ticket, TicketMessage.ticket_id == Ticket.id)
        .where(Ticket.tenant_id == tenant_id, Ticket.person_id.is_not(None), TicketMessage.author.in_(_SHOWN))
        .order_by(TicketMessage.id)
    )
    for one, reference in _pages(wanted, TicketMessage.id):
        yield reference, _moment(one.at), one.author, one.author_name, one.body


def _pages(wanted: Select[*tuple[Any, ...]], key: InstrumentedAttribute[UUID]) -> Iterator[Any]:
    """All rows in pages, each in a transaction of its own; the first of each row has the `key`."""
    last: UUID | None = None
    while True:
        with control_transaction() as control:
            page = wanted if last is None else wanted.where(key > last)
            rows = control.execute(page.limit(_AT_ONCE)).all()
        yield from rows
        if len(rows) < _AT_ONCE:
            return
        last = rows[-1][0].id


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(sep=" ")
