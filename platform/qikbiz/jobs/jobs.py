"""Jobs about jobs: run one in each tenant, retry one, and delete those that have ended."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import Delete, delete, func, select

from qikbiz.jobs.actions import enqueue, try_again
from qikbiz.jobs.job_context import JobContext
from qikbiz.jobs.ledger import LedgerModel
from qikbiz.jobs.models import Job, PlatformJob
from qikbiz.kernel.database import control_transaction, runtime, tenant_transaction
from tenants.control import TenantRecord
from tenants.directory import read_tenant
from tenants.schema_version import is_served

KEPT = timedelta(days=30)
# Failed and quarantined ones stay until an operator has looked at them.
ENDED = ("done", "cancelled")


def enqueue_for_tenants(work: JobContext) -> None:
    """Ask for the job `kind` in every tenant, once for `key` however often this is tried."""
    with control_transaction() as session:
        tenant_ids = list(
            session.scalars(select(TenantRecord.id).where(TenantRecord.state.in_(("active", "suspended"))))
        )
    for done, tenant_id in enumerate(tenant_ids):
        work.progress(done, len(tenant_ids), "Asking each tenant")
        with control_transaction() as session:
            tenant = read_tenant(session, tenant_id, runtime().settings.base_domain)
        if tenant is not None and is_served(tenant.version):
            with tenant_transaction(tenant):
                enqueue(work.arguments["kind"], work.arguments["arguments"], dedupe_key=work.arguments["key"])


def retry_job_of_tenant(work: JobContext) -> None:
    """Try a tenant's failed job again, as an operator asked."""
    with control_transaction() as session:
        tenant = read_tenant(session, UUID(work.arguments["tenant"]), runtime().settings.base_domain)
    is_revived = False
    if tenant is not None and is_served(tenant.version):
        with tenant_transaction(tenant):
            is_revived = try_again(UUID(work.arguments["job"]))
    with work.finish({"revived": is_revived}):
        pass


def delete_old_jobs(work: JobContext) -> None:
    with work.finish() as session:
        session.execute(_ended(Job))


def delete_old_platform_jobs(work: JobContext) -> None:
    with work.finish() as session:
        session.execute(_ended(PlatformJob))


def _ended(model: LedgerModel) -> Delete:
    return delete(model).where(model.state.in_(ENDED), model.finished_at < func.now() - KEPT)
