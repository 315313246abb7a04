"""Grants and the visits made under them, in the control database: they outlive what happens inside the tenant."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from tenants.control import ControlModel, new_id

STATES = "('asked', 'waiting', 'opening', 'open', 'ended')"
# How long an instruction waits after a second member of staff confirmed it, in hours: the least and the most.
WAIT_HOURS = (24, 168)


class Grant(ControlModel):
    """A customer's permission, or its written instruction as staff recorded it.

    `staff_ids` are the people let in; empty means everyone in support. `role_name` is the login of the database by
    which they come in, `dsn` how it connects (sealed). The role exists from `role_made_at` to `role_dropped_at`; a
    grant that has ended, or whose time is over, is refused at once, whether the role is gone yet or not. `ticket_id` is
    what support was asked to do with it.

    An instruction is `waiting` until it is confirmed: by an administrator of the customer (`confirmed_how` "user"), by
    a second member of staff ("staff", and then nothing opens before `opens_at`), or at once where nobody has ever
    signed in ("unused"). `recorded_by` is the member of staff who wrote it down.
    """

    __tablename__ = "grants"
    __table_args__ = (
        CheckConstraint(f"state in {STATES}", name="state"),
        CheckConstraint("kind in ('grant', 'instruction')", name="kind"),
        CheckConstraint("ends_at > given_at and ends_at <= given_at + interval '31 days'", name="ends"),
        CheckConstraint("reason <> ''", name="reason"),
        CheckConstraint(
            "kind = 'grant' or state in ('waiting', 'ended') or confirmed_at is not null", name="confirmed"
        ),
        CheckConstraint("confirmed_how in ('', 'user', 'staff', 'unused')", name="confirmed_how"),
        CheckConstraint(
            "confirmed_how <> 'staff' or (confirmed_by is not null and recorded_by is not null"
            " and confirmed_by <> recorded_by and opens_at is not null)",
            name="second_person",
        ),
        CheckConstraint("role_made_at is null or opens_at is null or role_made_at >= opens_at", name="opens"),
        # What a visit refers to, so that the database itself knows that nobody comes in by an instruction.
        UniqueConstraint("id", "kind"),
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
    recorded_by: Mapped[UUID | None]
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[UUID | None]
    confirmed_by_name: Mapped[str] = mapped_column(server_default="")
    confirmed_how: Mapped[str] = mapped_column(server_default="")
    opens_at: Mapped[datetime | None]
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
    `staff_session` is the session at the console that asked for it: a visit does not outlive that one.
    """

    __tablename__ = "staff_visits"
    __table_args__ = (
        CheckConstraint("grant_kind = 'grant'", name="grant_kind"),
        ForeignKeyConstraint(["grant_id", "grant_kind"], ["grants.id", "grants.kind"], ondelete="CASCADE"),
        Index("ix_staff_visits_tenant", "tenant_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    grant_id: Mapped[UUID] = mapped_column(index=True)
    grant_kind: Mapped[str] = mapped_column(server_default="grant")
    tenant_id: Mapped[UUID]
    staff_id: Mapped[UUID]
    staff_name: Mapped[str]
    staff_epoch: Mapped[int]
    staff_session: Mapped[bytes] = mapped_column(LargeBinary)
    asked_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    ticket_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    ticket_until: Mapped[datetime]
    session_hash: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    entered_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]
    pages: Mapped[int] = mapped_column(server_default="0")
    device: Mapped[str] = mapped_column(server_default="")
    address_prefix: Mapped[str] = mapped_column(server_default="")


class AccessPolicy(ControlModel):
    """What a tenant says about instructions that nobody of its own confirmed; without a row the defaults hold."""

    __tablename__ = "access_policies"
    __table_args__ = (CheckConstraint(f"wait_hours between {WAIT_HOURS[0]} and {WAIT_HOURS[1]}", name="wait_hours"),)

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    staff_may_confirm: Mapped[bool] = mapped_column(server_default=text("true"))
    wait_hours: Mapped[int] = mapped_column(server_default=str(WAIT_HOURS[0]))
    changed_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    changed_by_name: Mapped[str] = mapped_column(server_default="")
