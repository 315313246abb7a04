"""Closings in the control database, which outlives the tenant: where each stands and what was quoted."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from qikbiz.trust.billing.models import MONEY
from tenants.control import ControlModel, new_id

STATES = ("asked", "exporting", "exported", "confirmed", "read_only", "reopening", "cancelled", "erasing", "erased")
ENDED = ("cancelled", "erased")


class Closing(ControlModel):
    """One account being closed. `quote` is what was offered, and agreed once `accepted_at` is set: terms, reasons.

    `ended_by` says who ended the contract: the customer, or the operator, whose `reason` the customer reads.
    `certificate_to` are the people who get the certificate when the operator ended it: `[[name, address], …]`.
    `charge` is known when the export is made. `locked_at` is when the database began to refuse changes of records.
    Names and addresses of people go with the erasure.
    """

    __tablename__ = "closings"
    __table_args__ = (
        CheckConstraint(f"state in {STATES}", name="state"),
        CheckConstraint("ended_by in ('customer', 'operator')", name="ended_by"),
        CheckConstraint("retrieval_days between 30 and 90", name="retrieval_days"),
        CheckConstraint("charge is null or charge <= quote_amount", name="charge_within_quote"),
        CheckConstraint("erase_after is null or erase_after >= read_only_at + interval '30 days'", name="thirty_days"),
        Index("uq_closings_open", "tenant_id", unique=True, postgresql_where=text(f"state not in {ENDED}")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), index=True)
    state: Mapped[str] = mapped_column(server_default="asked")
    ended_by: Mapped[str] = mapped_column(server_default="customer")
    reason: Mapped[str] = mapped_column(server_default="")
    certificate_to: Mapped[list[list[str]]] = mapped_column(JSONB, server_default=text("'[]'"))
    asked_at: Mapped[datetime]
    asked_by: Mapped[UUID | None]
    asked_by_name: Mapped[str] = mapped_column(server_default="")
    asked_by_email: Mapped[str] = mapped_column(server_default="")
    quote: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    quote_amount: Mapped[Decimal] = mapped_column(MONEY)
    currency: Mapped[str]
    accepted_at: Mapped[datetime | None]
    accepted_by: Mapped[UUID | None]
    accepted_by_name: Mapped[str] = mapped_column(server_default="")
    export_id: Mapped[UUID | None]
    exported_at: Mapped[datetime | None]
    export_sha256: Mapped[str] = mapped_column(server_default="")
    export_bytes: Mapped[int] = mapped_column(server_default="0")
    export_rows: Mapped[int] = mapped_column(server_default="0")
    work_seconds: Mapped[int] = mapped_column(server_default="0")
    cost: Mapped[Decimal | None] = mapped_column(MONEY)
    charge: Mapped[Decimal | None] = mapped_column(MONEY)
    confirmed_at: Mapped[datetime | None]
    retrieval_days: Mapped[int] = mapped_column(server_default="30")
    read_only_at: Mapped[datetime | None]
    locked_at: Mapped[datetime | None]
    erase_after: Mapped[datetime | None]
    week_told_at: Mapped[datetime | None]
    day_told_at: Mapped[datetime | None]
    extended_at: Mapped[datetime | None]
    extension_told_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]


class ClosingProposal(ControlModel):
    """An operator wants to end this customer's contract; another operator has to confirm it.

    `proposed_by` is None when it came from the command line, which knows nobody: then two have to confirm.
    """

    __tablename__ = "closing_proposals"
    __table_args__ = (CheckConstraint("days between 30 and 90", name="days"),)

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    reason: Mapped[str]
    days: Mapped[int]
    proposed_at: Mapped[datetime]
    proposed_by: Mapped[UUID | None]
    proposed_by_name: Mapped[str] = mapped_column(server_default="")


class ClosingEvent(ControlModel):
    """One act on a closing. It stands in the tenant's own audit too, once `noted_at` is set."""

    __tablename__ = "closing_events"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    closing_id: Mapped[UUID] = mapped_column(ForeignKey("closings.id", ondelete="CASCADE"), index=True)
    tenant_id: Mapped[UUID]
    at: Mapped[datetime]
    action: Mapped[str]
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str] = mapped_column(server_default="")
    details: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    noted_at: Mapped[datetime | None]


class Erasure(ControlModel):
    """An erasure under way: what was there, counted before anything was dropped."""

    __tablename__ = "erasures"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    begun_at: Mapped[datetime]
    counts: Mapped[dict[str, Any]]


class ErasureCertificate(ControlModel):
    """What was erased, signed. `document` names no person and no organisation, only the organisation's number."""

    __tablename__ = "erasure_certificates"

    number: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(unique=True)
    issued_at: Mapped[datetime]
    document: Mapped[dict[str, Any]]
    key_id: Mapped[int]
    signature: Mapped[bytes] = mapped_column(LargeBinary)


class ErasedTenant(ControlModel):
    """The number of an erased tenant, and nothing else: what a restore asks before it brings anything back."""

    __tablename__ = "erased_tenants"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    erased_at: Mapped[datetime]
