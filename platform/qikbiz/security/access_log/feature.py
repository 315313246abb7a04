"""What this package adds to the product."""

from __future__ import annotations

from datetime import timedelta

from qikbiz.kernel.feature import Feature
from qikbiz.kernel.job_kinds import JobKind, Periodic

FEATURE = Feature(
    name="access_log",
    models=("qikbiz.security.access_log.models",),
    jobs={
        "access_log.delete_old": JobKind(
            "checks",
            "Delete old addresses",
            "qikbiz.security.access_log.jobs:delete_old_addresses",
            former_names=("access.forget",),
        ),
    },
    schedule=(
        Periodic("delete old addresses of tenants", "access_log.delete_old", timedelta(hours=12), each_tenant=True),
    ),
    evidence=("qikbiz.security.access_log.promise:KEEPINGS",),
)
