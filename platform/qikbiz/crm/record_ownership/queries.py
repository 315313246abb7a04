"""How many records a user owns."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select

from qikbiz.crm.schema.registry import RECORD_TYPES
from qikbiz.identity.members.owned_records import Owned
from qikbiz.kernel.database import db


def owned_by(user_id: UUID) -> Owned:
    counts = {}
    for kind in RECORD_TYPES.values():
        model = kind.model
        counts[kind.name] = db.session.scalar(select(func.count()).where(model.owner_id == user_id)) or 0
    return Owned(counts)
