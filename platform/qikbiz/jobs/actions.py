"""Asking for a job: a row in the transaction that needs it, a mark before the commit, an announcement after it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import event, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from qikbiz.jobs import ledger, transport
from qikbiz.jobs.kinds import current_name, kind_named
from qikbiz.jobs.ledger import Due, LedgerModel
from qikbiz.jobs.models import Job, PlatformJob
from qikbiz.kernel import clock
from qikbiz.kernel.actors import current_actor
from qikbiz.kernel.database import after_commit, db, require_tenant_session, runtime
from qikbiz.kernel.read_only import refuse_change
from tenants.context import current_tenant
from tenants.control import new_id

Row = TypeVar("Row", Job, PlatformJob)
MARK = text(
    "INSERT INTO pending_work (tenant_id, due_at, marked_at) VALUES (:tenant, :due, clock_timestamp()) "
    "ON CONFLICT (tenant_id) DO UPDATE SET due_at = least(pending_work.due_at, excluded.due_at), "
    "marked_at = excluded.marked_at"
)
logger = logging.getLogger(__name__)


def enqueue(
    kind: str,
    arguments: Mapping[str, object],
    *,
    dedupe_key: str | None = None,
    run_at: datetime | None = None,
    created_by: UUID | None = None,
) -> Job:
    """Have a job of the tenant entered done at or after `run_at`, if the current transaction commits.

    `arguments` are ids only. When a job with this `dedupe_key` stands already, that one is returned.
    """
    session = require_tenant_session()
    tenant_id = current_tenant().id
    declared = kind_named(kind, is_platform=False)
    if declared.changes_records:
        refuse_change(current_tenant())
    given = {"arguments": arguments, "dedupe_key": dedupe_key, "run_at": run_at, "created_by": created_by}
    if declared.works_for_asker:
        given["grant_id"] = current_actor().grant
    job, is_new = _insert(session, Job, kind, given)
    if is_new:
        _mark_before_commit(session, tenant_id, job.run_at)
        _announce_after_commit(session, tenant_id, job)
    return job


def enqueue_platform(
    kind: str,
    arguments: Mapping[str, object],
    *,
    dedupe_key: str | None = None,
    run_at: datetime | None = None,
    created_by: UUID | None = None,
) -> PlatformJob:
    """The same for the platform, inside `control_transaction()`. It needs no mark: the sweeper always looks here."""
    session = db.control()
    given = {"arguments": arguments, "dedupe_key": dedupe_key, "run_at": run_at, "created_by": created_by}
    job, is_new = _insert(session, PlatformJob, kind, given)
    if is_new:
        _announce_after_commit(session, None, job)
    return job


def cancel(job_id: UUID) -> bool:
    """Call a job of the tenant off; its worker notices at its next progress. False when it has ended already."""
    return _cancel(require_tenant_session(), Job, job_id)


def try_again(job_id: UUID) -> bool:
    """Give a failed or quarantined job of the tenant entered a new set of tries."""
    session = require_tenant_session()
    job = _revive(session, Job, job_id)
    if job is not None:
        _mark_before_commit(session, current_tenant().id, job.run_at)
        _announce_after_commit(session, current_tenant().id, job)
    return job is not None


def try_platform_again(job_id: UUID) -> bool:
    job = _revive(db.control(), PlatformJob, job_id)
    if job is not None:
        _announce_after_commit(db.control(), None, job)
    return job is not None


def mark_pending(tenant_id: UUID, due_at: datetime) -> None:
    """Tell the sweeper, in a transaction of its own, that this tenant may have a job due."""
    try:
        with runtime().control.begin() as connection:
            connection.execute(MARK, {"tenant": tenant_id, "due": due_at})
    except SQLAlchemyError as error:
        # Not worth failing the customer's work: the sweeper's slow round looks at every tenant.
        logger.warning("mark_not_written", extra={"tenant": str(tenant_id), "reason": type(error).__name__})


def _insert(session: Session, model: type[Row], kind: str, given: Mapping[str, object]) -> tuple[Row, bool]:
    declared = kind_named(kind, is_platform=model is PlatformJob)
    values = {**given, "id": new_id(), "kind": current_name(kind), "queue": declared.queue}
    values["max_attempts"] = declared.max_attempts
    values["run_at"] = given["run_at"] or func.now()
    statement = (
        insert(model)
        .values(values)
        .on_conflict_do_nothing(index_elements=[model.dedupe_key], index_where=model.dedupe_key.is_not(None))
    )
    row = session.scalars(statement.returning(model)).one_or_none()
    if row is not None:
        return row, True
    return session.scalars(select(model).where(model.dedupe_key == given["dedupe_key"])).one(), False


def _revive(session: Session, model: type[Row], job_id: UUID) -> Row | None:
    statement = (
        update(model)
        .where(model.id == job_id, model.state.in_(("failed", "quarantined")))
        .values(state="pending", run_at=func.now(), max_attempts=model.attempt + model.max_attempts, finished_at=None)
        .returning(model)
    )
    return session.scalars(statement).one_or_none()


def _cancel(session: Session, model: LedgerModel, job_id: UUID) -> bool:
    statement = (
        update(model)
        .where(model.id == job_id, model.state.in_(("pending", "running")))
        .values(state="cancelled", finished_at=func.now(), token=None, lease_until=None)
        .returning(model.id)
    )
    return session.scalar(statement) is not None


def _mark_before_commit(session: Session, tenant_id: UUID, due_at: datetime) -> None:
    # Before the commit, or a crash between the two would lose the job; right before it, or the sweeper might look,
    # see nothing yet and take the mark away.
    if not event.contains(session, "before_commit", _write_marks):
        event.listen(session, "before_commit", _write_marks)
    marks = session.info.setdefault("pending_marks", {})
    marks[tenant_id] = min(marks.get(tenant_id, due_at), due_at)


def _write_marks(session: Session) -> None:
    for tenant_id, due_at in session.info.pop("pending_marks", {}).items():
        mark_pending(tenant_id, due_at)


def _announce_after_commit(session: Session, tenant_id: UUID | None, job: Job | PlatformJob) -> None:
    """Tenants take turns: of each queue one job of a tenant is before the workers, and its end brings the next one.

    So another tenant's first job never waits behind this tenant's tenth.
    """
    if job.run_at <= clock.now() and (tenant_id is None or ledger.has_its_turn(session, Job, job)):
        due = Due(job.id, job.kind, job.queue, job.attempt)
        after_commit(session, lambda: _announce(tenant_id, due))


def _announce(tenant_id: UUID | None, due: Due) -> None:
    transport.announce(tenant_id, due)
