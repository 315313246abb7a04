"""Looking at the chains of all audits, and anchoring their heads."""

from __future__ import annotations

import logging

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from qikbiz.audit.page_reads import broken_seals, seal_reads
from qikbiz.audit.verification import check_platform, check_tenant
from qikbiz.jobs.job_context import JobContext
from qikbiz.kernel.database import control_transaction, runtime, tenant_transaction
from tenants.context import Tenant
from tenants.control import TenantRecord
from tenants.directory import read_tenant
from tenants.schema_version import is_served

logger = logging.getLogger(__name__)


def verify_audits(work: JobContext) -> None:
    """Every hour (feature.py). One tenant that can't be looked at keeps the others from nothing."""
    with control_transaction() as session:
        wanted = select(TenantRecord.id).where(TenantRecord.state.in_(("active", "suspended")))
        tenant_ids = list(session.scalars(wanted))
    broken = int(bool(check_platform()))
    for done, tenant_id in enumerate(tenant_ids):
        work.progress(done, len(tenant_ids), "Looking at audits")
        with control_transaction() as session:
            tenant = read_tenant(session, tenant_id, runtime().settings.base_domain)
        if tenant is None or not is_served(tenant.version):
            continue
        try:
            broken += bool(check_tenant(tenant))
            seal_reads(tenant)
            broken += bool(_broken_seals(tenant))
        except SQLAlchemyError as error:
            logger.warning("audit_not_checked", extra={"tenant": str(tenant_id), "reason": type(error).__name__})
    with work.finish({"tenants": len(tenant_ids), "broken": broken}):
        pass


def _broken_seals(tenant: Tenant) -> list[int]:
    with tenant_transaction(tenant) as session:
        found = broken_seals(session)
    if found:
        logger.critical("page_reads_changed", extra={"tenant": str(tenant.id), "events": found})
    return found
