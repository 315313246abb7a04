"""The moves of a job, each one statement that decides by itself: claim, hold, end, put off, give up.

All times are the database's, so that clocks of different machines don't matter. `model` says which ledger.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Text, Update, and_, cast, func, literal, or_, select, update
from sqlalchemy.orm import Session

from qikbiz.jobs.models import Job, PlatformJob

LedgerModel = type[Job] | type[PlatformJob]
NOW = func.clock_timestamp()
QUARANTINED = "All attempts failed because the worker stopped each time. We are notified and will look into it."


@dataclass(frozen=True, slots=True)
class Claim:
    """A job held by one worker. Its effects are committed under `token`."""

    job_id: UUID
    token: UUID
    kind: str
    arguments: dict[str, object]
    attempt: int
    max_attempts: int
    created_by: UUID | None
    grant_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """A job that may be announced."""

    job_id: UUID
    kind: str
    queue: str
    attempt: int


def kind_of(session: Session, model: LedgerModel, job_id: UUID) -> str | None:
    """None when its row is gone."""
    return session.scalar(select(model.kind).where(model.id == job_id))


def claim(session: Session, model: LedgerModel, job_id: UUID, lease_seconds: float) -> Claim | None:
    """Take the job when it is due or its holder's lease ran out. None: it is done, or another worker's."""
    token = uuid4()
    statement = (
        update(model)
        .where(model.id == job_id, _is_due(model), model.attempt < model.max_attempts)
        .values(
            state="running",
            token=token,
            attempt=model.attempt + 1,
            lease_until=_in(lease_seconds),
            started_at=func.coalesce(model.started_at, NOW),
        )
        .returning(model.kind, model.arguments, model.attempt, model.max_attempts, model.created_by, model.grant_id)
    )
    row = session.execute(statement).one_or_none()
    return Claim(job_id, token, *row) if row else None


def holds(session: Session, model: LedgerModel, claimed: Claim, lease_seconds: float) -> bool:
    """Whether the claim still stands; if so it holds on, and until this transaction ends nobody can take it."""
    statement = update(model).where(_is_held(model, claimed)).values(lease_until=_in(lease_seconds))
    return _touched(session, statement)


def finish(
    session: Session, model: LedgerModel, claimed: Claim, result: Mapping[str, object], **progress: object
) -> bool:
    values = {"state": "done", "result": result, "finished_at": NOW, "token": None, "lease_until": None}
    values |= {"error_ref": "", "error_text": "", **progress}
    return _touched(session, update(model).where(_is_held(model, claimed)).values(values))


def reschedule(
    session: Session,
    model: LedgerModel,
    claimed: Claim,
    *,
    until: datetime | timedelta,
    ref: str,
    text: str,
    is_counted: bool = True,
) -> bool:
    """Give the job back, to be tried again at a time or after a while. Not counted, it gets one try more."""
    run_at = _in(until.total_seconds()) if isinstance(until, timedelta) else until
    values: dict[str, object] = {"state": "pending", "run_at": run_at, "token": None, "lease_until": None}
    values |= {"error_ref": ref, "error_text": text}
    if not is_counted:
        values["max_attempts"] = model.max_attempts + 1
    return _touched(session, update(model).where(_is_held(model, claimed)).values(values))


def give_up(session: Session, model: LedgerModel, claimed: Claim, *, ref: str, text: str) -> bool:
    values = {"state": "failed", "finished_at": NOW, "token": None, "lease_until": None}
    values |= {"error_ref": ref, "error_text": text}
    return _touched(session, update(model).where(_is_held(model, claimed)).values(values))


def quarantine_lost(session: Session, model: LedgerModel) -> list[UUID]:
    """Set aside each job whose worker died on its last try: something in it kills workers."""
    statement = (
        update(model)
        .where(model.state == "running", model.lease_until < NOW, model.attempt >= model.max_attempts)
        .values(
            state="quarantined",
            finished_at=NOW,
            token=None,
            lease_until=None,
            error_ref=func.concat("J-", func.upper(func.right(cast(model.id, Text), 8))),
            error_text=QUARANTINED,
        )
        .returning(model.id)
    )
    return list(session.scalars(statement))


def reference(job_id: UUID) -> str:
    """What a person quotes and a log line bears: the end of the job's id, which is random."""
    return f"J-{job_id.hex[-8:].upper()}"


def due_jobs(session: Session, model: LedgerModel, limit: int = 500) -> list[Due]:
    """What is due or whose lease ran out, the longest waiting first."""
    statement = (
        select(model.id, model.kind, model.queue, model.attempt)
        .where(_is_due(model), model.attempt < model.max_attempts)
        .order_by(model.run_at, model.id)
        .limit(limit)
    )
    return [Due(*row) for row in session.execute(statement)]


def queues_at_work(session: Session, model: LedgerModel) -> set[str]:
    """The queues in which a job of this ledger is being done now."""
    statement = select(model.queue).where(_is_alive(model)).distinct()
    return set(session.scalars(statement))


def next_in_turn(session: Session, model: LedgerModel, queue: str) -> Due | None:
    """The job of this queue that has waited longest; None while one is being done, or when none waits."""
    if queue in queues_at_work(session, model):
        return None
    statement = (
        select(model.id, model.kind, model.queue, model.attempt)
        .where(model.queue == queue, _is_due(model), model.attempt < model.max_attempts)
        .order_by(model.run_at, model.id)
        .limit(1)
    )
    row = session.execute(statement).one_or_none()
    return Due(*row) if row else None


def has_its_turn(session: Session, model: LedgerModel, job: Job | PlatformJob) -> bool:
    """Whether no other job of this ledger and queue is being done, or waits to be."""
    others = select(model.id).where(model.queue == job.queue, model.id != job.id, or_(_is_due(model), _is_alive(model)))
    return session.scalar(others.limit(1)) is None


def next_due_at(session: Session, model: LedgerModel) -> datetime | None:
    """When the sweeper should look again, or None when nothing is under way."""
    when = func.min(func.coalesce(model.lease_until, model.run_at))
    return session.scalar(select(when).where(model.state.in_(("pending", "running"))))


def _is_due(model: LedgerModel) -> ColumnElement[bool]:
    return or_(
        and_(model.state == "pending", model.run_at <= NOW),
        and_(model.state == "running", model.lease_until < NOW),
    )


def _is_alive(model: LedgerModel) -> ColumnElement[bool]:
    return and_(model.state == "running", model.lease_until >= NOW)


def _is_held(model: LedgerModel, claimed: Claim) -> ColumnElement[bool]:
    return and_(model.id == claimed.job_id, model.token == claimed.token, model.state == "running")


def _in(seconds: float) -> ColumnElement[datetime]:
    return NOW + timedelta(seconds=seconds)


def _touched(session: Session, statement: Update) -> bool:
    return session.execute(statement.returning(literal(1))).scalar() is not None
