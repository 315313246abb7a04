"""Events, scores and rules about addresses, in the control database: an address is not a tenant's."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import CIDR, INET
from sqlalchemy.orm import Mapped, mapped_column

from qikbiz.security.ip_reputation.networks import reference_of
from tenants.control import ControlModel, new_id


class AbuseEvent(ControlModel):
    """Something odd that came from an address: `unit` is the /32 or /64 that is counted, `account_mac` a keyed hash."""

    __tablename__ = "abuse_events"
    __table_args__ = (Index("ix_abuse_events_unit", "unit", "at"), Index("ix_abuse_events_at", "at"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    at: Mapped[datetime]
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
    evidence: Mapped[dict[str, object]] = mapped_column(server_default=text("'{}'"))
    blocks: Mapped[int] = mapped_column(server_default="0")
    checked_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class AddressRule(ControlModel):
    """A decision: allow, slow or block, with a reason and an end. `source` is check, staff or tenant.

    A rule with a `tenant_id` acts at that tenant only.
    """

    __tablename__ = "address_rules"
    __table_args__ = (
        CheckConstraint("action in ('allow', 'slow', 'block')", name="action"),
        CheckConstraint("tenant_id is null or action = 'allow'", name="tenants_only_allow"),
        CheckConstraint("expires_at <= created_at + interval '30 days'", name="ends"),
        CheckConstraint("masklen(unit) >= case family(unit) when 4 then 16 else 32 end", name="not_too_wide"),
        Index("ix_address_rules_unit", "unit"),
        Index("ix_address_rules_tenant_id", "tenant_id", postgresql_where=text("tenant_id is not null")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    unit: Mapped[str] = mapped_column(CIDR)
    action: Mapped[str]
    reason: Mapped[str]
    source: Mapped[str]
    evidence: Mapped[dict[str, object]] = mapped_column(server_default=text("'{}'"))
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    lifted_at: Mapped[datetime | None]
    # When people lifted it as a mistake: what led to it does not count again.
    pardoned_at: Mapped[datetime | None]
    tenant_id: Mapped[UUID | None]

    @property
    def reference(self) -> str:
        return reference_of(self.id)

    @property
    def ended_at(self) -> datetime:
        return self.lifted_at or self.expires_at


class AbuseCount(ControlModel):
    """How many events of a kind a day had: what stays when the events are forgotten."""

    __tablename__ = "abuse_counts"

    day: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    events: Mapped[int]


class BlockWeek(ControlModel):
    """One week's automatic blocks, and how many of them were followed by a good login from there within a day."""

    __tablename__ = "block_weeks"

    monday: Mapped[date] = mapped_column(primary_key=True)
    blocks: Mapped[int]
    mistaken: Mapped[int]
    measured_at: Mapped[datetime]
