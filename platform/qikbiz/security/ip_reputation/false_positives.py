"""How often an automatic block was a mistake: its false positives, by week.

A block counts as mistaken when a user signed in from there within a day of it. The target is under one in a hundred.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import and_, exists, func, select
from sqlalchemy.dialects.postgresql import insert

from qikbiz.kernel import clock
from qikbiz.kernel.database import db
from qikbiz.security.ip_reputation.models import AbuseEvent, AddressRule, BlockWeek
from qikbiz.security.ip_reputation.signals import Signal

WITHIN = timedelta(hours=24)
WEEK = timedelta(days=7)
# As far back as the events reach, and a day for the last block's logins.
WEEKS_MEASURED = 3
TARGET = 0.01


@dataclass(frozen=True, slots=True)
class Mistakes:
    """`blocks` automatic blocks of the week from `monday` on, `mistaken` of them."""

    monday: date
    blocks: int
    mistaken: int

    @property
    def share(self) -> float:
        return self.mistaken / self.blocks if self.blocks else 0.0


def measure_blocks(*, now: datetime | None = None) -> list[Mistakes]:
    """Measure the last whole weeks and keep the figures. Measuring again gives the same or, with late logins, more."""
    moment = now or clock.now()
    this_monday = moment.date() - timedelta(days=moment.weekday())
    found = [_week(this_monday - n * WEEK) for n in range(1, WEEKS_MEASURED + 1)]
    for week in found:
        values = {"blocks": week.blocks, "mistaken": week.mistaken, "measured_at": moment}
        statement = insert(BlockWeek).values(monday=week.monday, **values)
        db.control.execute(statement.on_conflict_do_update(index_elements=["monday"], set_=values))
    return found


def weeks(*, limit: int = 26) -> list[Mistakes]:
    """What was measured, the oldest week first."""
    rows = db.control.scalars(select(BlockWeek).order_by(BlockWeek.monday.desc()).limit(limit)).all()
    return [Mistakes(row.monday, row.blocks, row.mistaken) for row in reversed(rows)]


def _week(monday: date) -> Mistakes:
    start = datetime.combine(monday, time(), UTC)
    good_login = exists().where(
        AbuseEvent.kind == Signal.LOGIN_SUCCEEDED,
        AbuseEvent.unit.bool_op("<<=")(AddressRule.unit),
        AbuseEvent.at > AddressRule.created_at,
        AbuseEvent.at <= AddressRule.created_at + WITHIN,
    )
    made = and_(AddressRule.created_at >= start, AddressRule.created_at < start + WEEK)
    automatic = and_(AddressRule.source == "check", AddressRule.action == "block")
    blocks, mistaken = db.control.execute(
        select(func.count(), func.count().filter(good_login)).select_from(AddressRule).where(made, automatic)
    ).one()
    return Mistakes(monday, int(blocks), int(mistaken))
