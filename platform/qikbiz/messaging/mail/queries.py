"""What became of mails: for the console, which sees no address, subject or content of a tenant's mail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from qikbiz.messaging.mail.models import Mail, PlatformMail

MailModel = type[Mail] | type[PlatformMail]


@dataclass(frozen=True, slots=True)
class MailStatus:
    """One mail without anything that says to whom it goes or what it says."""

    id: UUID
    template: str
    category: str
    state: str
    attempt: int
    problem: str
    created_at: datetime
    next_at: datetime
    sent_at: datetime | None


def recent(
    session: Session, model: MailModel, *, state: str = "", before: UUID | None = None, limit: int = 50
) -> list[MailStatus]:
    """The newest first, a page at a time: `before` is the id of the last one shown."""
    columns = [getattr(model, name) for name in MailStatus.__dataclass_fields__]
    statement = select(*columns).order_by(model.id.desc()).limit(limit)
    if state:
        statement = statement.where(model.state == state)
    if before is not None:
        statement = statement.where(model.id < before)
    return [MailStatus(*row) for row in session.execute(statement)]


def counts(session: Session, model: MailModel) -> dict[str, int]:
    """How many mails are in each state."""
    return {state: number for state, number in session.execute(select(model.state, func.count()).group_by(model.state))}


def oldest_waiting(session: Session, model: MailModel) -> datetime | None:
    """Since when the mail that waits longest has been waiting."""
    return session.scalar(select(func.min(model.created_at)).where(model.state.in_(("pending", "sending"))))
