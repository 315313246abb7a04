"""Tickets and what was written on them, in the control database: they are between a customer and our support."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.control import ControlModel, new_id


class Ticket(ControlModel):
    """One question. `tenant_id` is where it was sent from, known by the host; `person_id` who, when signed in.

    `waiting_since` is the time of the first thing the customer wrote that is not answered yet. `once` keeps a form that
    is sent twice from being two tickets.
    """

    __tablename__ = "tickets"
    __table_args__ = (
        CheckConstraint("state in ('open', 'waiting', 'solved')", name="state"),
        CheckConstraint("source in ('site', 'tenant', 'blocked', 'mail', 'instruction')", name="source"),
        Index("ix_tickets_state", "state", "waiting_since"),
        Index("ix_tickets_tenant_id", "tenant_id", "person_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    reference: Mapped[str] = mapped_column(unique=True)
    topic: Mapped[str]
    subject: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="open")
    source: Mapped[str]
    name: Mapped[str]
    email: Mapped[str]
    tenant_id: Mapped[UUID | None]
    person_id: Mapped[UUID | None]
    rule_id: Mapped[UUID | None]
    assigned_to: Mapped[UUID | None]
    once: Mapped[str | None] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    waiting_since: Mapped[datetime | None]
    changed_at: Mapped[datetime]


class TicketMessage(ControlModel):
    """One thing said on a ticket. `author` is customer, staff, note (seen by staff only) or act (something was begun).

    `message_id` is the RFC 5322 one of the mail that it came or went as. An act names what support began beside it.
    """

    __tablename__ = "ticket_messages"
    __table_args__ = (
        CheckConstraint("author in ('customer', 'staff', 'note', 'act')", name="author"),
        Index("ix_ticket_messages_ticket_id", "ticket_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    ticket_id: Mapped[UUID] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    author: Mapped[str]
    author_id: Mapped[UUID | None]
    author_name: Mapped[str] = mapped_column(server_default="")
    body: Mapped[str]
    message_id: Mapped[str | None] = mapped_column(unique=True)
    act_kind: Mapped[str] = mapped_column(server_default=text("''"))
    act_id: Mapped[UUID | None]
    grant_id: Mapped[UUID | None]
