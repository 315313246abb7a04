"""Staff and their sessions, in the control database. Staff have no login in any tenant."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from qikbiz.audit.models import ChainColumns
from qikbiz.identity.accounts.models import FactorColumns, PersonColumns, SessionColumns, TokenColumns, factor_rules
from tenants.control import ControlModel, new_id


class Staff(PersonColumns, ControlModel):
    """A platform operator, support agent or auditor."""

    __tablename__ = "staff"
    __table_args__ = (
        CheckConstraint("state in ('invited', 'active', 'disabled')", name="state"),
        CheckConstraint("role in ('operator', 'support', 'auditor')", name="role"),
    )

    role: Mapped[str]


class StaffSession(SessionColumns, ControlModel):
    __tablename__ = "staff_sessions"


class StaffToken(TokenColumns, ControlModel):
    __tablename__ = "staff_tokens"


class StaffFactor(FactorColumns, ControlModel):
    __tablename__ = "staff_factors"
    __table_args__ = factor_rules("staff_factors")


class PlatformAuditEvent(ChainColumns, ControlModel):
    """What staff and commands did to the platform. Rows are only ever added."""

    FRAMED: ClassVar = ("id", "actor_kind", "actor_id", "actor_name", "action", "tenant_id", "request_id")
    __tablename__ = "platform_audit_events"
    __table_args__ = (
        Index("ix_platform_audit_events_tenant_id", "tenant_id", "id"),
        Index("ix_platform_audit_events_action", "action", "id"),
        UniqueConstraint("chain", "seq"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str] = mapped_column(server_default="")
    action: Mapped[str]
    tenant_id: Mapped[UUID | None]
    subject: Mapped[str] = mapped_column(server_default="")
    details: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    request_id: Mapped[str] = mapped_column(server_default="")
