"""Starts the periodic work that features declare: once for each name and due time, however many sweepers run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from qikbiz.jobs.actions import enqueue_platform
from qikbiz.jobs.models import ScheduleRun
from qikbiz.kernel.database import control_transaction
from qikbiz.kernel.feature import Feature, derived
from qikbiz.kernel.job_kinds import Periodic

KEPT = timedelta(days=30)


@derived
def schedule(features: tuple[Feature, ...]) -> tuple[Periodic, ...]:
    """The periodic work of every feature."""
    return tuple(entry for feature in features for entry in feature.schedule)


def start_due_work(now: datetime | None = None, entries: tuple[Periodic, ...] | None = None) -> int:
    """Ask for what has come due, of every feature unless `entries` are given.

    Times that passed while nothing ran are made up for once, not many times.
    """
    moment = now or datetime.now(UTC)
    asked = schedule() if entries is None else entries
    return sum(_start(entry, entry.due_at(moment)) for entry in asked if not _is_started(entry, moment))


def _is_started(entry: Periodic, moment: datetime) -> bool:
    with control_transaction() as session:
        run = select(ScheduleRun.name).where(ScheduleRun.name == entry.name, ScheduleRun.due_at >= entry.due_at(moment))
        return session.scalar(run.limit(1)) is not None


def _start(entry: Periodic, due_at: datetime) -> int:
    with control_transaction() as session:
        row = {"name": entry.name, "due_at": due_at}
        statement = insert(ScheduleRun).values(row).on_conflict_do_nothing().returning(ScheduleRun)
        run = session.scalars(statement).one_or_none()
        if run is None:
            return 0
        key = f"{entry.name} {due_at.isoformat()}"
        if entry.each_tenant:
            arguments = {"kind": entry.kind, "key": key, "arguments": entry.arguments}
            job = enqueue_platform("jobs.enqueue_for_tenants", arguments, dedupe_key=key)
        else:
            job = enqueue_platform(entry.kind, entry.arguments, dedupe_key=key)
        run.job_id = job.id
        session.execute(delete(ScheduleRun).where(ScheduleRun.name == entry.name, ScheduleRun.due_at < due_at - KEPT))
    return 1
