"""What the page of a user shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from qikbiz.crm.records.types import RECORD_TYPES
from qikbiz.identity.accounts.models import User
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class Owned:
    """How many records of each type somebody owns, those in the trash included."""

    counts: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def user_for_reading(user_id: UUID) -> User:
    found = db.session.get(User, user_id)
    if found is None:
        raise NotFound("There is no such user.")
    return found


def owned_by(user_id: UUID) -> Owned:
    counts = {}
    for kind in RECORD_TYPES.values():
        model: Any = kind.model
        counts[kind.plural] = db.session.scalar(select(func.count()).where(model.owner_id == user_id)) or 0
    return Owned(counts)


def possible_heirs(user_id: UUID) -> list[User]:
    """Who could be given this user's records: everybody else who can log in, or soon will."""
    query = select(User).where(User.id != user_id, User.state != "disabled").order_by(func.lower(User.name))
    return list(db.session.scalars(query))
