"""What this package adds to the product."""

from __future__ import annotations

from datetime import timedelta

from qikbiz.kernel.feature import Feature
from qikbiz.kernel.job_kinds import HOUR, JobKind, Periodic

FEATURE = Feature(
    name="jobs",
    models=("qikbiz.jobs.models",),
    jobs={
        "jobs.forget": JobKind("checks", "Delete old jobs", "qikbiz.jobs.jobs:forget_jobs"),
        "jobs.forget_platform": JobKind(
            "checks", "Delete old jobs", "qikbiz.jobs.jobs:forget_platform_jobs", is_platform=True
        ),
        "tenants.each": JobKind(
            "checks", "Run each tenant's periodic jobs", "qikbiz.jobs.jobs:ask_each_tenant", HOUR, is_platform=True
        ),
        "jobs.try_again": JobKind(
            "checks", "Retry a job", "qikbiz.jobs.jobs:try_job_of_tenant_again", 60, is_platform=True
        ),
    },
    schedule=(
        Periodic("forget jobs", "jobs.forget", timedelta(days=1), each_tenant=True),
        Periodic("forget platform jobs", "jobs.forget_platform", timedelta(days=1)),
    ),
)
