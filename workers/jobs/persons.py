"""Erasing people, by the one worker that has the rights for it."""

from __future__ import annotations

from uuid import UUID

from provisioning import erase_person
from qikbiz.jobs.failures import JobRefused
from qikbiz.jobs.job_context import JobContext
from qikbiz.kernel.database import runtime
from qikbiz.trust.data_subject_requests.models import Erasure
from tenants.context import Tenant

PROBLEM = "Something went wrong on our side while erasing. Nothing was erased; we have been told."


def erase(work: JobContext) -> None:
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
    """Every six hours, and after a restore (workers/schedule.py)."""
    erased = erase_person.erase_again(runtime().settings, _tenant(work))
    with work.finish({"erased": erased}):
        pass


def _give_up(work: JobContext, erasure_id: UUID) -> None:
    with work.step() as session:
        erasure = session.get_one(Erasure, erasure_id)
        if erasure.state == "asked":
            erasure.state, erasure.problem = "failed", PROBLEM


def _tenant(work: JobContext) -> Tenant:
    if work.tenant is None:
        raise JobRefused("An erasure belongs to a tenant.")
    return work.tenant
