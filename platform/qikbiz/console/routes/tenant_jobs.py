"""The jobs of one tenant, as far as staff may know them: what kind, how it went, and a new try for a failed one."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from qikbiz.audit.actions import record_on_platform
from qikbiz.console import queries
from qikbiz.console.blueprint import console
from qikbiz.jobs.actions import enqueue_platform
from qikbiz.jobs.kinds import title_of
from qikbiz.jobs.models import Job
from qikbiz.jobs.queries import counts, recent, state_of
from qikbiz.kernel.access import access
from qikbiz.kernel.actors import current_actor
from qikbiz.kernel.database import runtime, tenant_transaction
from qikbiz.kernel.errors import Conflict, NotFound
from qikbiz.kernel.permissions import Permission
from qikbiz.web.flash import show_toast
from tenants.context import WATCHER, Tenant

STATES = ("pending", "running", "done", "failed", "quarantined", "cancelled")


@console.get("/tenants/<slug>/jobs")
@access(Permission.PLATFORM_JOB_SEE)
def tenant_jobs(slug: str) -> str:
    tenant, state, before = _tenant(slug), request.args.get("state", ""), request.args.get("before", type=UUID)
    state = state if state in STATES else ""
    with tenant_transaction(tenant, guest=WATCHER) as session:
        found = recent(session, Job, state=state, before=before, limit=queries.PAGE + 1)
        numbers = counts(session, Job)
    return render_template(
        "console/tenant_jobs.html",
        nav_active="tenants",
        record=queries.tenant_by_slug(slug),
        jobs=found[: queries.PAGE],
        next_before=found[queries.PAGE - 1].id if len(found) > queries.PAGE else None,
        before=before,
        state=state,
        states=STATES,
        counts=numbers,
        title_of=title_of,
    )


@console.post("/tenants/<slug>/jobs/<uuid:job_id>/retry")
@access(Permission.TENANT_CREATE)
def retry_tenant_job(slug: str, job_id: UUID) -> ResponseReturnValue:
    tenant = _tenant(slug)
    with tenant_transaction(tenant, guest=WATCHER) as session:
        if state_of(session, Job, job_id) not in ("failed", "quarantined"):
            raise Conflict("Only failed and quarantined jobs can be retried.")
    # A worker gives it new tries: staff may look at the ledger and write nothing into it.
    arguments = {"tenant": str(tenant.id), "job": str(job_id)}
    enqueue_platform("jobs.retry", arguments, created_by=current_actor().id)
    record_on_platform("job.try_again", tenant_id=tenant.id, subject=str(job_id))
    show_toast("The job is queued again.")
    return redirect(url_for("console.tenant_jobs", slug=slug))


def _tenant(slug: str) -> Tenant:
    tenant = runtime().directory.tenant_by_slug(slug)
    if tenant is None:
        raise NotFound(f"No tenant has the address “{slug}”.")
    return tenant
