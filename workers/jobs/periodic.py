"""Periodic work that belongs to no room: fan a job out to each tenant, and forget ended jobs."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from qikbiz.database import control_work, runtime, tenant_work
from qikbiz.jobs.actions import enqueue
from qikbiz.jobs.ledger import LedgerModel
from qikbiz.jobs.models import Job, PlatformJob
from tenants.control import TenantRecord
from tenants.directory import read_tenant
from tenants.versions import is_served
from workers.work import Work

KEPT = timedelta(days=90)
ENDED = ("done", "cancelled")


def ask_each_tenant(work: Work) -> None:
    """Ask for the job `kind` in every tenant, once for `key` however often this is tried."""
    with control_work() as session:
        tenant_ids = list(
            session.scalars(select(TenantRecord.id).where(TenantRecord.state.in_(("active", "suspended"))))
        )
    for done, tenant_id in enumerate(tenant_ids):
        work.progress(done, len(tenant_ids), "Asking each tenant")
        with control_work() as session:
            tenant = read_tenant(session, tenant_id, runtime().settings.base_domain)
        if tenant is not None and is_served(tenant.version):
            with tenant_work(tenant):
                enqueue(work.arguments["kind"], work.arguments["arguments"], dedupe_key=work.arguments["key"])


def forget_jobs(work: Work) -> None:
    with work.finish() as session:
        _forget(session, Job)


def forget_platform_jobs(work: Work) -> None:
    with work.finish() as session:
        _forget(session, PlatformJob)


def _forget(session: Session, model: LedgerModel) -> None:
    # Failed and quarantined jobs stay until somebody has looked at them.
    session.execute(delete(model).where(model.state.in_(ENDED), model.finished_at < func.now() - KEPT))
