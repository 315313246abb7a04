"""The jobs that need the provisioner's rights, which only the worker of this queue has.

They make, measure and erase tenants, make and drop the roles of grants, erase people, and trim audits.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from provisioning import audit_retention, closing, erase_person, usage
from provisioning.create import finish_tenant
from provisioning.erase_tenant import erase_due_tenants
from provisioning.guest_roles import close_ended_grants, open_due_grants, open_grant
from qikbiz.jobs.job_context import JobContext
from qikbiz.jobs.job_outcomes import JobRefused
from qikbiz.kernel.database import control_transaction, runtime
from qikbiz.trust.data_subject_requests.models import Erasure
from tenants.context import Tenant
from tenants.control import TenantRecord

NOT_ERASED = "Something went wrong on our side while erasing. Nothing was erased; we have been notified."


def create_tenant(work: JobContext) -> None:
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


def measure_tenants(work: JobContext) -> None:
    measured = usage.measure_tenants(runtime().settings)
    with work.finish({"measured": measured}):
        pass


def advance_closures(work: JobContext) -> None:
    """Do what is due of every account that is being closed."""
    advanced = closing.advance_closings(runtime().settings)
    with work.finish({"closings": advanced}):
        pass


def erase_tenants(work: JobContext) -> None:
    erased = erase_due_tenants(runtime().settings)
    with work.finish({"erased": len(erased)}):
        pass


def delete_old_audit_events(work: JobContext) -> None:
    trimmed = audit_retention.prune_audits(runtime().settings)
    with work.finish({"trimmed": trimmed}):
        pass


def make_grant_role(work: JobContext) -> None:
    """Make the database role of the grant that was just given."""
    is_open = open_grant(runtime().settings, UUID(work.arguments["grant"]))
    with work.finish({"opened": is_open}):
        pass


def drop_grant_roles(work: JobContext) -> None:
    """Drop the database roles of all grants that have ended, and make those that are due now.

    Each minute, and at once when a user ends a grant.
    """
    closed, opened = close_ended_grants(runtime().settings), open_due_grants(runtime().settings)
    with work.finish({"closed": closed, "opened": opened}):
        pass


def erase_data_subject(work: JobContext) -> None:
    """One transaction of the owner's: after a kill the next try finds nothing or all of it done."""
    erasure_id = UUID(work.arguments["erasure"])
    try:
        erase_person.erase_person(runtime().settings, _tenant(work), erasure_id)
    except Exception:
        if work.attempt >= work.claim.max_attempts:
            _give_up(work, erasure_id)
        raise
    with work.finish({"erasure": str(erasure_id)}):
        pass


def erase_again(work: JobContext) -> None:
    """Every six hours, and after a restore: what a back-up restored of erased people."""
    erased = erase_person.erase_again(runtime().settings, _tenant(work))
    with work.finish({"erased": erased}):
        pass


def _give_up(work: JobContext, erasure_id: UUID) -> None:
    with work.step() as session:
        erasure = session.get_one(Erasure, erasure_id)
        if erasure.state == "asked":
            erasure.state, erasure.problem = "failed", NOT_ERASED


def _tenant(work: JobContext) -> Tenant:
    if work.tenant is None:
        raise JobRefused("An erasure belongs to a tenant.")
    return work.tenant
