"""The colleagues who can own a record."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from qikbiz.accounts.models import User
from qikbiz.database import db


def colleague_names() -> dict[UUID, str]:
    """Everybody who ever had a login, for showing who owned or did something."""
    return {row.id: row.name for row in db.session.execute(select(User.id, User.name).order_by(User.name))}


def possible_owners() -> dict[UUID, str]:
    """Who can be given a record, by name."""
    query = select(User.id, User.name).where(User.state != "disabled").order_by(User.name)
    return {row.id: row.name for row in db.session.execute(query)}


def colleague_by_email(email: str) -> UUID | None:
    return db.session.scalar(select(User.id).where(User.email_key == email.lower()))
