"""All periodic work, declared here and nowhere else: once for each name and due time, however many sweepers run."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from qikbiz.jobs.actions import enqueue_platform
from qikbiz.jobs.models import ScheduleRun
from qikbiz.kernel.database import control_transaction

EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Periodic:
    """`kind` every so often, counted from a fixed moment in UTC, so that restarts don't shift it.

    With `each_tenant` it is a job of a tenant, and every open tenant gets one.
    """

    name: str
    kind: str
    every: timedelta
    each_tenant: bool = False
    arguments: dict[str, Any] = field(default_factory=dict)

    def due_at(self, now: datetime) -> datetime:
        """The last due time that has come."""
        return EPOCH + (now - EPOCH) // self.every * self.every


SCHEDULE = (
    Periodic("measure tenants", "tenants.measure", timedelta(hours=1)),
    Periodic("check audits", "audit.check", timedelta(hours=1)),
    Periodic("trim audits", "audit.trim", timedelta(days=1)),
    Periodic("drive closings", "closings.drive", timedelta(hours=1)),
    Periodic("erase closed tenants", "tenants.erase", timedelta(hours=1)),
    # Each is refused from the minute its time is over; this takes its login out of the database too.
    Periodic("close grants", "grants.close", timedelta(minutes=1)),
    Periodic("forget addresses", "checks.forget", timedelta(hours=1)),
    # The figures are by week; measured daily, since a block's mistake shows only a day later.
    Periodic("measure blocks", "checks.measure_blocks", timedelta(days=1)),
    Periodic("forget addresses of tenants", "access.forget", timedelta(hours=12), each_tenant=True),
    Periodic("forget staff sessions", "sessions.forget_staff", timedelta(days=1)),
    # Erases again what a restored back-up holds of people who were erased.
    Periodic("erase again", "persons.erase_again", timedelta(hours=6), each_tenant=True),
    Periodic("forget sessions", "sessions.forget", timedelta(days=1), each_tenant=True),
    # An export that is over can't be fetched any more; this only takes its bytes.
    Periodic("expire exports", "exports.expire", timedelta(hours=6), each_tenant=True),
    Periodic("forget uploads", "imports.forget", timedelta(days=1), each_tenant=True),
    Periodic("forget notifications", "notifications.forget", timedelta(days=1), each_tenant=True),
    Periodic("forget jobs", "jobs.forget", timedelta(days=1), each_tenant=True),
    # Four looks a day: a day counts when one of them found the notice standing (P19).
    Periodic("watch the notice", "statements.watch", timedelta(hours=6)),
    Periodic("forget platform jobs", "jobs.forget_platform", timedelta(days=1)),
)


def start_due_work(now: datetime | None = None, schedule: tuple[Periodic, ...] = SCHEDULE) -> int:
    """Ask for what has come due. Times that passed while nothing ran are made up for once, not many times."""
    moment = now or datetime.now(UTC)
    return sum(_start(entry, entry.due_at(moment)) for entry in schedule if not _is_started(entry, moment))


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
            job = enqueue_platform("tenants.each", arguments, dedupe_key=key)
        else:
            job = enqueue_platform(entry.kind, entry.arguments, dedupe_key=key)
        run.job_id = job.id
        session.execute(delete(ScheduleRun).where(ScheduleRun.name == entry.name, ScheduleRun.due_at < due_at - KEPT))
    return 1
