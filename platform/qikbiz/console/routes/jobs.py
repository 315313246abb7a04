"""Jobs of the platform: what runs, what failed, and one of them while it works."""

from __future__ import annotations

from uuid import UUID

from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from qikbiz.audit.actions import record_on_platform
from qikbiz.console import queries
from qikbiz.console.blueprint import console
from qikbiz.jobs.actions import try_platform_again
from qikbiz.jobs.kinds import title_of
from qikbiz.jobs.models import PlatformJob
from qikbiz.kernel.access import access
from qikbiz.kernel.errors import Conflict
from qikbiz.kernel.permissions import Permission

FAILED, OPEN = ("failed", "quarantined"), ("pending", "running")
STATES = ("pending", "running", "done", "failed", "quarantined", "cancelled")


@console.get("/jobs")
@access(Permission.PLATFORM_JOB_SEE)
def jobs() -> str:
    """What failed, then what waits or runs, then what went well, folded by kind; or the jobs of one state."""
    state, before = request.args.get("state", ""), request.args.get("before", type=UUID)
    if state not in STATES:
        return _overview()
    found = queries.platform_jobs([state], before=before)
    return render_template(
        "console/jobs.html",
        nav_active="jobs",
        jobs=found[: queries.PAGE],
        next_before=found[queries.PAGE - 1].id if len(found) > queries.PAGE else None,
        before=before,
        state=state,
        states=STATES,
        counts=queries.jobs_by_state(),
        title_of=title_of,
    )


def _overview() -> str:
    failed, open_ = queries.platform_jobs(FAILED), queries.platform_jobs(OPEN)
    return render_template(
        "console/jobs.html",
        nav_active="jobs",
        failed=failed[: queries.PAGE],
        open=open_[: queries.PAGE],
        has_more={"failed": len(failed) > queries.PAGE, "open": len(open_) > queries.PAGE},
        finished=queries.finished_jobs_by_kind(),
        state="",
        states=STATES,
        counts=queries.jobs_by_state(),
        title_of=title_of,
    )


@console.get("/jobs/<uuid:job_id>")
@access(Permission.PLATFORM_JOB_SEE)
def job(job_id: UUID) -> Response:
    """The page of one job; while it works the page asks for its progress each second."""
    found = queries.platform_job(job_id)
    template = "console/job_progress.html" if request.headers.get("HX-Request") else "console/job.html"
    page = render_template(template, nav_active="jobs", job=found, title_of=title_of, slug=_slug(found))
    response = make_response(page)
    if request.headers.get("HX-Request") and found.finished_at is not None:
        response.headers["HX-Refresh"] = "true"
    return response


@console.post("/jobs/<uuid:job_id>/retry")
@access(Permission.TENANT_CREATE)
def retry_job(job_id: UUID) -> ResponseReturnValue:
    if not try_platform_again(queries.platform_job(job_id).id):
        raise Conflict("Only failed and quarantined jobs can be retried.")
    record_on_platform("job.try_again", subject=str(job_id))
    return redirect(url_for("console.job", job_id=job_id))


def _slug(job: PlatformJob) -> str:
    # Only jobs about one tenant name it; a new one has no page until its job is done.
    slug = str(job.arguments.get("slug", "")) if job.kind.startswith("tenants.") else ""
    return slug if job.state == "done" or job.kind != "tenants.create" else ""
