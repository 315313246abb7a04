"""What a page, a command or the console may know about jobs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from qikbiz.database import control_work, db, require_tenant_session, runtime, tenant_work
from qikbiz.jobs.ledger import LedgerModel
from qikbiz.jobs.models import Job, JobColumns, PlatformJob
from tenants.context import Tenant
from tenants.redis import RedisAway

OPEN = ("pending", "running")
SWEEPER_LATE_AFTER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Progress:
    """A job as a person sees it. `percent` and `rest` are None while they can't be said."""

    state: str
    percent: int | None
    done: int
    total: int | None
    note: str
    rest: timedelta | None
    result: dict[str, Any]
    error_text: str
    error_ref: str

    @property
    def is_over(self) -> bool:
        return self.state not in OPEN

    @property
    def is_waiting(self) -> bool:
        return self.state == "pending"


def job(job_id: UUID) -> Job | None:
    """A job of the tenant entered."""
    return require_tenant_session().get(Job, job_id)


def platform_job(job_id: UUID) -> PlatformJob | None:
    return db.control().get(PlatformJob, job_id)


def progress_of(found: JobColumns) -> Progress:
    return Progress(
        state=found.state,
        percent=_percent(found),
        done=found.progress_done,
        total=found.progress_total,
        note=found.progress_note,
        rest=_rest(found),
        result=found.result,
        error_text=found.error_text,
        error_ref=found.error_ref,
    )


def watch(tenant: Tenant | None, job_id: UUID, *, every_seconds: float = 0.3) -> Iterator[Progress]:
    """The progress of a job again and again, each time read anew, until it is over. For commands, not for requests."""
    while True:
        with tenant_work(tenant) if tenant else control_work() as session:
            found = session.get_one(Job, job_id) if tenant else session.get_one(PlatformJob, job_id)
            now = progress_of(found)
        yield now
        if now.is_over:
            return
        time.sleep(every_seconds)


def recent_jobs(
    session: Session, model: LedgerModel, *, state: str = "", before: UUID | None = None, limit: int = 50
) -> list[JobColumns]:
    """The newest first, a page at a time: `before` is the id of the last one shown."""
    statement = select(model).order_by(model.id.desc()).limit(limit)
    if state:
        statement = statement.where(model.state == state)
    if before is not None:
        statement = statement.where(model.id < before)
    return list(session.scalars(statement))


def counts(session: Session, model: LedgerModel) -> dict[str, int]:
    """How many jobs are in each state."""
    return {state: number for state, number in session.execute(select(model.state, func.count()).group_by(model.state))}


def last_sweep() -> datetime | None:
    """When the sweeper last looked. None: not in the last minute, or Redis is away."""
    store = runtime().redis
    try:
        with store.client() as client:
            at = client.hget(store.platform_key("sweeper"), "at")
    except RedisAway:
        return None
    return datetime.fromtimestamp(int(str(at)), UTC) if at else None


def _percent(found: JobColumns) -> int | None:
    if found.state == "done":
        return 100
    if not found.progress_total:
        return None
    # Never a full bar before the end: the last commit may still take a while.
    return min(99, found.progress_done * 100 // found.progress_total)


def _rest(found: JobColumns) -> timedelta | None:
    """As long again for each part as for the parts that are done; nothing is guessed from the first few seconds."""
    if found.state != "running" or not found.progress_total or not found.started_at or found.progress_done <= 0:
        return None
    spent = datetime.now(UTC) - found.started_at
    if spent < timedelta(seconds=2):
        return None
    left = max(0, found.progress_total - found.progress_done)
    return spent * left / found.progress_done
