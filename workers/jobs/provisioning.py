"""What needs the provisioner's rights, which only this queue's worker has: making, erasing and measuring tenants."""

from __future__ import annotations

from sqlalchemy import select

from provisioning import closing
from provisioning.audit_retention import trim_audits
from provisioning.create import finish_tenant
from provisioning.erase_tenant import erase_due_tenants
from provisioning.usage import measure_tenants
from qikbiz.jobs.failures import JobRefused
from qikbiz.jobs.job_context import JobContext
from qikbiz.kernel.database import control_transaction, runtime
from tenants.control import TenantRecord


def create(work: JobContext) -> None:
    """Make what is missing of the tenant that the console reserved under `slug`."""
    slug = str(work.arguments["slug"])
    with control_transaction() as session:
        record = session.scalars(select(TenantRecord).where(TenantRecord.slug == slug)).one_or_none()
    if record is None:
        raise JobRefused(f"“{slug}” is not reserved.")
    # An earlier try may have died right after it made the tenant active.
    if record.state == "creating":
        finish_tenant(runtime().settings, record.id, progress=work.progress)
    with work.finish({"slug": slug, "tenant": str(record.id)}):
        pass


def erase(work: JobContext) -> None:
    erased = erase_due_tenants(runtime().settings)
    with work.finish({"erased": len(erased)}):
        pass


def trim(work: JobContext) -> None:
    trimmed = trim_audits(runtime().settings)
    with work.finish({"trimmed": trimmed}):
        pass


def drive_closings(work: JobContext) -> None:
    """Do what is due of every account that is being closed."""
    driven = closing.drive_closings(runtime().settings)
    with work.finish({"closings": driven}):
        pass


def measure(work: JobContext) -> None:
    measured = measure_tenants(runtime().settings)
    with work.finish({"measured": measured}):
        pass
