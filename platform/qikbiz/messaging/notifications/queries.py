"""Reading one's own notifications."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from qikbiz.kernel.database import db
from qikbiz.messaging.notifications.models import Notification

PAGE = 50


def notifications_of(user_id: UUID, *, only_unread: bool = False, before: UUID | None = None) -> Sequence[Notification]:
    """The newest first, one more than PAGE when there is a next page; `before` is the last one of the page before."""
    query = select(Notification).where(Notification.user_id == user_id).order_by(Notification.id.desc())
    if only_unread:
        query = query.where(Notification.read_at.is_(None))
    if before is not None:
        query = query.where(Notification.id < before)
    return db.session.scalars(query.limit(PAGE + 1)).all()
