"""Notifications of a user, as rows of the tenant."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from qikbiz.kernel.database import Model
from tenants.control import new_id


class Notification(Model):
    """`kind` is the last word of its category of mails; `url` is a path of the tenant's own site.

    `mail` is what the person wanted at that moment: a mail at once, the next digest, or none. `mailed_at` is when the
    mail was written.
    """

    __tablename__ = "notifications"
    __table_args__ = (
        CheckConstraint("mail in ('at_once', 'daily', 'none')", name="mail"),
        Index("ix_notifications_user", "user_id", "id"),
        Index("ix_notifications_unread", "user_id", postgresql_where=text("read_at is null")),
        Index("ix_notifications_at", "at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str]
    subject: Mapped[str]
    url: Mapped[str]
    mail: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    mailed_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]
