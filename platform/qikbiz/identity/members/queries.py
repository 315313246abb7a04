"""What the page of a user shows."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select

from qikbiz.identity.accounts.models import User
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import NotFound


def user_for_reading(user_id: UUID) -> User:
    found = db.session.get(User, user_id)
    if found is None:
        raise NotFound("There is no such user.")
    return found


def possible_new_owners(user_id: UUID) -> list[User]:
    """Who could be given this user's records: everybody else who can sign in, or soon will."""
    query = select(User).where(User.id != user_id, User.state != "disabled").order_by(func.lower(User.name))
    return list(db.session.scalars(query))
