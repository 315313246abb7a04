"""What the console shows of the platform. None of it reads a row of a tenant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from qikbiz.audit.models import PlatformAuditEvent
from qikbiz.jobs.models import PlatformJob
from qikbiz.kernel import clock
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import NotFound
from tenants.control import Domain, TenantMigration, TenantRecord

PAGE = 50
# Columns that a list may be sorted by; the slug breaks ties.
SORTS = {
    "name": TenantRecord.name,
    "users": TenantRecord.users,
    "records": TenantRecord.records,
    "bytes": TenantRecord.bytes,
    "last_seen": TenantRecord.last_seen_at,
    "created": TenantRecord.created_at,
}


@dataclass(frozen=True, slots=True)
class Totals:
    """Figures over all tenants."""

    tenants: int
    active: int
    users: int
    records: int
    bytes: int


def tenants(*, search: str = "", state: str = "", sort: str = "name", page: int = 1) -> Sequence[TenantRecord]:
    """One page of tenants, one more than PAGE when there is a next page."""
    key, is_descending = sort.removeprefix("-"), sort.startswith("-")
    column = SORTS.get(key, TenantRecord.name)
    order = column.desc().nulls_last() if is_descending else column.asc().nulls_last()
    statement = _found(search, state).order_by(order, TenantRecord.slug)
    return db.control.scalars(statement.offset((max(page, 1) - 1) * PAGE).limit(PAGE + 1)).all()


def totals() -> Totals:
    active = func.count().filter(TenantRecord.state == "active")
    row = db.control.execute(
        select(
            func.count(), active, _sum(TenantRecord.users), _sum(TenantRecord.records), _sum(TenantRecord.bytes)
        ).where(TenantRecord.state != "closed")
    ).one()
    return Totals(*(int(value) for value in row))


def tenant_by_slug(slug: str) -> TenantRecord:
    found = db.control.scalar(select(TenantRecord).where(TenantRecord.slug == slug))
    if found is None:
        raise NotFound
    return found


def domains_of(tenant_id: UUID) -> Sequence[Domain]:
    return db.control.scalars(select(Domain).where(Domain.tenant_id == tenant_id).order_by(Domain.host)).all()


def failed_migrations(tenant_id: UUID) -> Sequence[TenantMigration]:
    statement = select(TenantMigration).where(TenantMigration.tenant_id == tenant_id, TenantMigration.state == "failed")
    return db.control.scalars(statement.order_by(TenantMigration.at.desc())).all()


def newest_platform_link() -> str:
    """Number and hash of the newest event of the platform's audit, as `1204:9f2c…`; "" before the first."""
    newest = select(PlatformAuditEvent.seq, PlatformAuditEvent.hash).order_by(PlatformAuditEvent.seq.desc()).limit(1)
    found = db.control.execute(newest).one_or_none()
    return f"{found.seq}:{found.hash.hex()}" if found else ""


def audit_events(
    *, tenant_id: UUID | None = None, action: str = "", before: UUID | None = None, limit: int = PAGE
) -> Sequence[PlatformAuditEvent]:
    """Newest first; `before` is the id that the page before ended with."""
    statement = select(PlatformAuditEvent).order_by(PlatformAuditEvent.id.desc()).limit(limit + 1)
    if tenant_id is not None:
        statement = statement.where(PlatformAuditEvent.tenant_id == tenant_id)
    if action:
        statement = statement.where(PlatformAuditEvent.action.startswith(action, autoescape=True))
    if before is not None:
        statement = statement.where(PlatformAuditEvent.id < before)
    return db.control.scalars(statement).all()


def slugs_of(tenant_ids: set[UUID]) -> dict[UUID, str]:
    rows = db.control.execute(select(TenantRecord.id, TenantRecord.slug).where(TenantRecord.id.in_(tenant_ids)))
    return {row[0]: row[1] for row in rows}


def platform_jobs(states: Sequence[str], *, before: UUID | None = None) -> Sequence[PlatformJob]:
    """The newest jobs in these states, one more than a page holds."""
    statement = select(PlatformJob).order_by(PlatformJob.id.desc()).limit(PAGE + 1)
    statement = statement.where(PlatformJob.state.in_(states))
    if before is not None:
        statement = statement.where(PlatformJob.id < before)
    return db.control.scalars(statement).all()


def platform_job(job_id: UUID) -> PlatformJob:
    job = db.control.get(PlatformJob, job_id)
    if job is None:
        raise NotFound
    return job


def finished_jobs_by_kind(*, hours: int = 24) -> Sequence[Any]:
    """What went well or was cancelled lately: (kind, how many, when the last one was asked for), the newest first."""
    since = clock.now() - timedelta(hours=hours)
    newest = func.max(PlatformJob.created_at)
    query = select(PlatformJob.kind, func.count().label("number"), newest.label("newest"))
    query = query.where(PlatformJob.created_at >= since, PlatformJob.state.in_(("done", "cancelled")))
    return db.control.execute(query.group_by(PlatformJob.kind).order_by(newest.desc())).all()


def jobs_by_state(*, hours: int = 24) -> dict[str, int]:
    since = clock.now() - timedelta(hours=hours)
    rows = db.control.execute(
        select(PlatformJob.state, func.count()).where(PlatformJob.created_at >= since).group_by(PlatformJob.state)
    )
    return {row[0]: row[1] for row in rows}


def _found(search: str, state: str) -> Select[TenantRecord]:
    statement = select(TenantRecord)
    if state:
        statement = statement.where(TenantRecord.state == state)
    for word in search.split()[:8]:
        wanted = f"%{_literal(word)}%"
        statement = statement.where(
            or_(TenantRecord.slug.ilike(wanted, escape="\\"), TenantRecord.name.ilike(wanted, escape="\\"))
        )
    return statement


def _literal(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _sum(column: InstrumentedAttribute[int]) -> ColumnElement[int]:
    return func.coalesce(func.sum(column), 0)
