"""What this package adds to the product."""

from __future__ import annotations

from datetime import timedelta

from qikbiz.kernel.feature import Feature
from qikbiz.kernel.job_kinds import HOUR, JobKind, Periodic

FEATURE = Feature(
    name="jobs",
    models=("qikbiz.jobs.models",),
    jobs={
        "jobs.delete_old": JobKind(
            "checks", "Delete old jobs", "qikbiz.jobs.jobs:delete_old_jobs", former_names=("jobs.forget",)
        ),
        "jobs.delete_old_platform": JobKind(
            "checks",
            "Delete old jobs",
            "qikbiz.jobs.jobs:delete_old_platform_jobs",
            is_platform=True,
            former_names=("jobs.forget_platform",),
        ),
        "jobs.enqueue_for_tenants": JobKind(
            "checks",
            "Run each tenant's periodic jobs",
            "qikbiz.jobs.jobs:enqueue_for_tenants",
            HOUR,
            is_platform=True,
            former_names=("tenants.each",),
        ),
        "jobs.retry": JobKind(
            "checks",
            "Retry a job",
            "qikbiz.jobs.jobs:retry_job_of_tenant",
            60,
            is_platform=True,
            former_names=("jobs.try_again",),
        ),
    },
    schedule=(
        Periodic("delete old jobs", "jobs.delete_old", timedelta(days=1), each_tenant=True),
        Periodic("delete old platform jobs", "jobs.delete_old_platform", timedelta(days=1)),
    ),
)
