"""Reading announcements."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from qikbiz.kernel.database import db
from qikbiz.messaging.announcements.models import Announcement

PAGE = 30


def newest(*, before: UUID | None = None) -> Sequence[Announcement]:
    """The newest first, one more than PAGE when there is a next page."""
    query = select(Announcement).order_by(Announcement.id.desc()).limit(PAGE + 1)
    if before is not None:
        query = query.where(Announcement.id < before)
    return db.control().scalars(query).all()
