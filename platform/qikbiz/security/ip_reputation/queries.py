"""What the console shows about addresses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Row, cast, func, literal, select
from sqlalchemy.dialects.postgresql import CIDR

from qikbiz.kernel import clock
from qikbiz.kernel.database import db
from qikbiz.security.ip_reputation.models import AbuseEvent, AddressRule, AddressScore
from qikbiz.security.ip_reputation.rules import standing


def scores(*, search: str = "", limit: int = 100) -> Sequence[AddressScore]:
    """Units by score, the worst first."""
    statement = select(AddressScore).order_by(AddressScore.score.desc(), AddressScore.checked_at.desc()).limit(limit)
    if search:
        statement = statement.where(func.text(AddressScore.unit).contains(search, autoescape=True))
    return db.control.scalars(statement).all()


def rules_in_force() -> Sequence[AddressRule]:
    return db.control.scalars(standing().order_by(AddressRule.created_at.desc()).limit(500)).all()


def rules_about(unit: str) -> Sequence[AddressRule]:
    statement = select(AddressRule).where(AddressRule.unit == unit)
    return db.control.scalars(statement.order_by(AddressRule.created_at.desc()).limit(50)).all()


def past_rules(*, limit: int = 50) -> Sequence[AddressRule]:
    statement = select(AddressRule).where(
        (AddressRule.lifted_at.is_not(None)) | (AddressRule.expires_at <= clock.now())
    )
    return db.control.scalars(statement.order_by(AddressRule.created_at.desc()).limit(limit)).all()


def events_by_hour(*, hours: int = 24) -> list[tuple[datetime, int]]:
    """(start of hour in UTC, events) for each of the last hours, empty ones included."""
    start = clock.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours - 1)
    hour = func.date_trunc("hour", AbuseEvent.at)
    rows = db.control.execute(select(hour, func.count()).where(AbuseEvent.at >= start).group_by(hour)).all()
    found = {row[0]: row[1] for row in rows}
    return [(moment, found.get(moment, 0)) for moment in (start + timedelta(hours=n) for n in range(hours))]


def recent_events(unit: str, *, limit: int = 100) -> Sequence[Row[str, datetime, str]]:
    inside = AbuseEvent.unit.bool_op("<<=")(cast(literal(unit), CIDR))
    statement = select(AbuseEvent.kind, AbuseEvent.at, AbuseEvent.request_id).where(inside)
    return db.control.execute(statement.order_by(AbuseEvent.at.desc()).limit(limit)).all()
