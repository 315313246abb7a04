"""Events, scores and rules about addresses, in the control database: an address is not a tenant's."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import CIDR, INET
from sqlalchemy.orm import Mapped, mapped_column

from tenants.control import ControlModel, new_id


class AbuseEvent(ControlModel):
    """Something odd that came from an address: `unit` is the /32 or /64 that is counted, `account_mac` a keyed hash."""

    __tablename__ = "abuse_events"
    __table_args__ = (Index("ix_abuse_events_unit", "unit", "at"), Index("ix_abuse_events_at", "at"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    kind: Mapped[str]
    address: Mapped[str | None] = mapped_column(INET)
    unit: Mapped[str] = mapped_column(CIDR)
    tenant_id: Mapped[UUID | None]
    account_mac: Mapped[str | None]
    request_id: Mapped[str] = mapped_column(server_default="")


class AddressScore(ControlModel):
    """The last verdict on a unit, with the evidence that led to it."""

    __tablename__ = "address_scores"

    unit: Mapped[str] = mapped_column(CIDR, primary_key=True)
    score: Mapped[int] = mapped_column(server_default="0")
    verdict: Mapped[str] = mapped_column(server_default="none")
    evidence: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    blocks: Mapped[int] = mapped_column(server_default="0")
    checked_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class AddressRule(ControlModel):
    """A decision in force: allow, slow or block, with a reason and (for a block) an end."""

    __tablename__ = "address_rules"
    __table_args__ = (
        CheckConstraint("action in ('allow', 'slow', 'block')", name="action"),
        CheckConstraint("action <> 'block' or expires_at is not null", name="block_ends"),
        Index("ix_address_rules_unit", "unit"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    unit: Mapped[str] = mapped_column(CIDR)
    action: Mapped[str]
    reason: Mapped[str]
    source: Mapped[str]
    evidence: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    expires_at: Mapped[datetime | None]
    lifted_at: Mapped[datetime | None]
    hits: Mapped[int] = mapped_column(server_default="0")
