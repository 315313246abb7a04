"""Mails of a tenant and of the platform, as rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from qikbiz.kernel.database import Model
from tenants.control import ControlModel, new_id

STATES = "('pending', 'sending', 'sent', 'unknown', 'failed', 'dropped')"
REASONS = "('', 'opted_out', 'no_login', 'stopped')"


class MailColumns:
    """`category` is a key of `mail.categories`. `person_id` is the login that the mail goes to, if it goes to one: its
    choices are asked when the mail leaves. `dedupe_key` makes the message id. `reason` says why a mail was dropped.
    From `data_began_at` on the mail server may have delivered it, so that it is not sent again by itself."""

    __tablename__: str

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    dedupe_key: Mapped[str] = mapped_column(unique=True)
    category: Mapped[str]
    person_id: Mapped[UUID | None]
    template: Mapped[str]
    to_address: Mapped[str]
    to_name: Mapped[str] = mapped_column(server_default="")
    values: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    subject: Mapped[str] = mapped_column(server_default="")
    state: Mapped[str] = mapped_column(server_default="pending")
    attempt: Mapped[int] = mapped_column(server_default="0")
    next_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    reason: Mapped[str] = mapped_column(server_default="")
    problem: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    data_began_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[CheckConstraint | Index, ...]:  # a declared_attr receives the class
        name = cls.__tablename__
        return (
            CheckConstraint(f"state in {STATES}", name="state"),
            CheckConstraint(f"reason in {REASONS}", name="reason"),
            Index(f"ix_{name}_due", "next_at", postgresql_where=text("state in ('pending', 'sending')")),
        )


class Mail(MailColumns, Model):
    """`announcement_id` is what the platform announced to many; its words are fetched when the mail leaves."""

    __tablename__ = "mails"

    announcement_id: Mapped[UUID | None]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[CheckConstraint | Index, ...]:
        announced = text("announcement_id is not null")
        return (
            *super().__table_args__,
            Index("ix_mails_announcement", "announcement_id", "state", postgresql_where=announced),
        )


class MailChoice(Model):
    """What a user decided about one category of mails; where there is no row, the mails are sent.

    `how` is where it was decided: the page, or the one click in a mail.
    """

    __tablename__ = "mail_choices"
    __table_args__ = (
        CheckConstraint("choice in ('on', 'daily', 'app', 'off')", name="choice"),
        CheckConstraint("how in ('page', 'mail')", name="how"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    category: Mapped[str] = mapped_column(primary_key=True)
    choice: Mapped[str]
    how: Mapped[str]
    changed_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class PlatformMail(MailColumns, ControlModel):
    __tablename__ = "platform_mails"
