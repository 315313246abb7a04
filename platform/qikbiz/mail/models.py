"""Mails of a tenant and of the platform, as rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from qikbiz.database import Model
from tenants.control import ControlModel, new_id

STATES = "('pending', 'sending', 'sent', 'failed', 'dropped')"


class MailColumns:
    """`category` decides what a crash between acceptance and `sent` means: security and legal mails are sent again,
    notifications are not (research: security.md 2.4). `dedupe_key` makes the message id."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    dedupe_key: Mapped[str] = mapped_column(unique=True)
    category: Mapped[str]
    template: Mapped[str]
    to_address: Mapped[str]
    to_name: Mapped[str] = mapped_column(server_default="")
    values: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    subject: Mapped[str] = mapped_column(server_default="")
    state: Mapped[str] = mapped_column(server_default="pending")
    attempt: Mapped[int] = mapped_column(server_default="0")
    next_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    problem: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    sent_at: Mapped[datetime | None]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Any, ...]:  # a declared_attr receives the class
        name = cls.__tablename__  # type: ignore[attr-defined]  # given by each model
        return (
            CheckConstraint(f"state in {STATES}", name="state"),
            Index(f"ix_{name}_due", "next_at", postgresql_where=text("state in ('pending', 'sending')")),
        )


class Mail(MailColumns, Model):
    __tablename__ = "mails"


class PlatformMail(MailColumns, ControlModel):
    __tablename__ = "platform_mails"
