"""Announcements and how far each has come in each tenant. In the control database, without anybody's address."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from qikbiz.kernel import clock
from tenants.control import ControlModel, new_id


class Announcement(ControlModel):
    """One mail to many. `body` is Markdown; `tenant_ids` empty means all of them.

    `version` grows with every change, so that what is sent is what was looked at.
    """

    __tablename__ = "announcements"
    __table_args__ = (
        CheckConstraint("state in ('draft', 'scheduled', 'sending', 'sent', 'stopped')", name="state"),
        CheckConstraint("category in ('updates', 'improvements', 'legal', 'security')", name="category"),
        CheckConstraint("audience in ('everybody', 'administrators')", name="audience"),
        CheckConstraint("state = 'draft' or send_at is not null", name="send_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    category: Mapped[str]
    audience: Mapped[str]
    tenant_ids: Mapped[list[str]] = mapped_column(server_default=text("'[]'"))
    subject: Mapped[str]
    body: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="draft")
    version: Mapped[int] = mapped_column(server_default="1")
    send_at: Mapped[datetime | None]
    created_by: Mapped[UUID | None]
    created_by_name: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    @property
    def is_due(self) -> bool:
        return self.send_at is not None and self.send_at <= clock.now()


class AnnouncementTenant(ControlModel):
    """How far an announcement is in one tenant. The numbers are counted anew each time, never added to.

    `waiting`: the tenant was not asked yet; `asked`: its own job writes and sends the mails; `settled`: nothing of it
    waits any more.
    """

    __tablename__ = "announcement_tenants"
    __table_args__ = (
        CheckConstraint("state in ('waiting', 'asked', 'settled')", name="state"),
        Index("ix_announcement_tenants_open", "announcement_id", postgresql_where=text("state <> 'settled'")),
    )

    announcement_id: Mapped[UUID] = mapped_column(ForeignKey("announcements.id", ondelete="CASCADE"), primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    state: Mapped[str] = mapped_column(server_default="waiting")
    recipients: Mapped[int] = mapped_column(server_default="0")
    sent: Mapped[int] = mapped_column(server_default="0")
    failed: Mapped[int] = mapped_column(server_default="0")
    opted_out: Mapped[int] = mapped_column(server_default="0")
    dropped: Mapped[int] = mapped_column(server_default="0")
