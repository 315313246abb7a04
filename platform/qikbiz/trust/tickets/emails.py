"""The mails of a ticket: each in one thread, to be answered by mail."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from qikbiz.kernel.database import db, runtime
from qikbiz.messaging.mail.actions import send_platform
from qikbiz.messaging.mail.message import message_id
from qikbiz.trust.tickets.addresses import reply_address
from qikbiz.trust.tickets.models import Ticket, TicketMessage
from tenants.control import TenantRecord

# More would not fit a header that every server takes (RFC 5322 2.1.1).
MOST_REFERENCES = 8
CUT_HERE = "Reply above this line"


def acknowledge(ticket: Ticket, body: str) -> None:
    """Confirm to the author that it arrived, and under which reference."""
    values = {"subject": ticket.subject, "reference": ticket.reference, "body": body, "cut": CUT_HERE}
    _send(ticket, "ticket_received", values, key=f"ticket {ticket.id} received", by_person=False)


def send_answer(ticket: Ticket, message: TicketMessage) -> None:
    """Mail what staff wrote; the message keeps the mail's id, by which an answer to it is known."""
    values = {"subject": ticket.subject, "reference": ticket.reference, "body": message.body, "cut": CUT_HERE}
    values["author"] = message.author_name
    message.message_id = _send(ticket, "ticket_answer", values, key=f"ticket message {message.id}", by_person=True)


def _send(ticket: Ticket, template: str, values: Mapping[str, object], *, key: str, by_person: bool) -> str:
    thread = _thread(ticket) | {"reply_to": reply_address(runtime().settings, ticket.id), "by_person": by_person}
    values = {**values, "thread": thread, "is_inside": ticket.person_id is not None, "url": _where(ticket)}
    mail = send_platform(
        template,
        to_address=ticket.email,
        to_name=ticket.name,
        values=values,
        dedupe_key=key,
        # Who wrote by mail has no form that could say so: the question is kept, and the answer's state is shown.
        must_be_reachable=ticket.source != "mail",
    )
    return message_id(mail, runtime().settings)


def _where(ticket: Ticket) -> str:
    """The ticket's page, for an author inside the product; others have no page of it, only the form."""
    settings, record = runtime().settings, db.control.get(TenantRecord, ticket.tenant_id) if ticket.tenant_id else None
    if record is None or ticket.person_id is None:
        return settings.origin(settings.base_domain) + "/contact"
    return f"{settings.origin(f'{record.slug}.{settings.base_domain}')}/help/{ticket.reference}"


def _thread(ticket: Ticket) -> dict[str, object]:
    query = select(TicketMessage.message_id).where(
        TicketMessage.ticket_id == ticket.id, TicketMessage.message_id.is_not(None)
    )
    known = [str(found) for found in db.control.scalars(query.order_by(TicketMessage.id))]
    return {"references": known[-MOST_REFERENCES:]}
