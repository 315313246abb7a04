"""Grants and the visits made under them, in the control database: they outlive what happens inside the tenant."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.control import ControlModel, new_id

STATES = "('asked', 'opening', 'open', 'ended')"


class Grant(ControlModel):
    """A customer's permission, or its written instruction as staff recorded it.

    `staff_ids` are the people let in; empty means whoever is in support. `role_name` is the login of the database by
    which they come in, `dsn` how it connects (sealed). The role exists from `role_made_at` to `role_dropped_at`; a
    grant that has ended, or whose time is over, is refused at once, whether the role is gone yet or not. `ticket_id` is
    what support was asked to do with it.
    """

    __tablename__ = "grants"
    __table_args__ = (
        CheckConstraint(f"state in {STATES}", name="state"),
        CheckConstraint("kind in ('grant', 'instruction')", name="kind"),
        CheckConstraint("ends_at > given_at and ends_at <= given_at + interval '31 days'", name="ends"),
        CheckConstraint("reason <> ''", name="reason"),
        CheckConstraint("role_name ~ '^g_[a-z0-9]{16}$'", name="opaque"),
        Index("ix_grants_tenant", "tenant_id", "id"),
        Index("ix_grants_role", "state", postgresql_where=text("role_dropped_at is null")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    reference: Mapped[str] = mapped_column(unique=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"))
    kind: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="asked")
    staff_ids: Mapped[list[str]] = mapped_column(server_default=text("'[]'"))
    scopes: Mapped[list[str]]
    reason: Mapped[str]
    ticket_id: Mapped[UUID | None] = mapped_column(ForeignKey("tickets.id", ondelete="SET NULL"), index=True)
    given_by: Mapped[UUID | None]
    given_by_name: Mapped[str]
    given_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by_name: Mapped[str] = mapped_column(server_default="")
    role_name: Mapped[str] = mapped_column(unique=True)
    dsn: Mapped[str] = mapped_column(server_default="")
    role_made_at: Mapped[datetime | None]
    role_dropped_at: Mapped[datetime | None]


class Visit(ControlModel):
    """One entry of one member of staff into one tenant under a grant.

    It begins as a ticket, good once and for a minute, which the console hands over to the tenant's own address.
    """

    __tablename__ = "staff_visits"
    __table_args__ = (Index("ix_staff_visits_tenant", "tenant_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    grant_id: Mapped[UUID] = mapped_column(ForeignKey("grants.id", ondelete="CASCADE"), index=True)
    tenant_id: Mapped[UUID]
    staff_id: Mapped[UUID]
    staff_name: Mapped[str]
    staff_epoch: Mapped[int]
    ticket_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    ticket_until: Mapped[datetime]
    session_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    entered_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]
    pages: Mapped[int] = mapped_column(server_default="0")
    device: Mapped[str] = mapped_column(server_default="")
    address_prefix: Mapped[str] = mapped_column(server_default="")
