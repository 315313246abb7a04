"""What a page, a command or the console may know about jobs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from qikbiz.jobs.ledger import LedgerModel
from qikbiz.jobs.models import Job, JobColumns
from qikbiz.kernel import clock
from qikbiz.kernel.database import require_tenant_session

OPEN = ("pending", "running")


@dataclass(frozen=True, slots=True)
class Progress:
    """A job as a person sees it. `percent` and `rest` are None while they can't be said."""

    state: str
    percent: int | None
    done: int
    total: int | None
    note: str
    rest: timedelta | None
    result: dict[str, object]
    error_text: str
    error_ref: str
    is_worked_on: bool = True

    @property
    def is_over(self) -> bool:
        return self.state not in OPEN

    @property
    def is_waiting(self) -> bool:
        """For a worker: none has begun, or the one that had it has ended."""
        return not self.is_over and not self.is_worked_on


@dataclass(frozen=True, slots=True)
class JobStatus:
    """A job without anything that says what it is about: for staff, who see no row of a tenant."""

    id: UUID
    kind: str
    state: str
    attempt: int
    max_attempts: int
    created_at: datetime
    run_at: datetime
    finished_at: datetime | None
    error_ref: str


def job(job_id: UUID) -> Job | None:
    """A job of the tenant entered."""
    return require_tenant_session().get(Job, job_id)


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
        is_worked_on=_is_worked_on(found),
    )


def recent(
    session: Session, model: LedgerModel, *, state: str = "", before: UUID | None = None, limit: int = 50
) -> list[JobStatus]:
    """The newest first, a page at a time: `before` is the id of the last one shown."""
    columns = [getattr(model, name) for name in JobStatus.__dataclass_fields__]
    statement = select(*columns).order_by(model.id.desc()).limit(limit)
    if state:
        statement = statement.where(model.state == state)
    if before is not None:
        statement = statement.where(model.id < before)
    return [JobStatus(*row) for row in session.execute(statement)]


def state_of(session: Session, model: LedgerModel, job_id: UUID) -> str:
    """Empty when there is no such job."""
    return session.scalar(select(model.state).where(model.id == job_id)) or ""


def counts(session: Session, model: LedgerModel) -> dict[str, int]:
    """How many jobs are in each state."""
    return {state: number for state, number in session.execute(select(model.state, func.count()).group_by(model.state))}


def _percent(found: JobColumns) -> int | None:
    if found.state == "done":
        return 100
    if not found.progress_total:
        return None
    # Never a full bar before the end: the last commit may still take a while.
    return min(99, found.progress_done * 100 // found.progress_total)


def _is_worked_on(found: JobColumns) -> bool:
    """Whether a worker has the job. Its lease runs out when the worker ended; then nobody knows how long it takes."""
    return found.state == "running" and found.lease_until is not None and found.lease_until >= clock.now()


def _rest(found: JobColumns) -> timedelta | None:
    """As long again for each part as for the parts that are done; nothing is guessed from the first few seconds."""
    if not _is_worked_on(found) or not found.progress_total or not found.started_at or found.progress_done <= 0:
        return None
    spent = clock.now() - found.started_at
    if spent < timedelta(seconds=2):
        return None
    left = max(0, found.progress_total - found.progress_done)
    return spent * left / found.progress_done
