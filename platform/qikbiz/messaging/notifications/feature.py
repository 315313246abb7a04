"""What this package adds to the product."""

from __future__ import annotations

from datetime import timedelta

from qikbiz.kernel.feature import Feature, Pages
from qikbiz.kernel.job_kinds import JobKind, Periodic

FEATURE = Feature(
    name="notifications",
    pages=(Pages("qikbiz.messaging.notifications.routes:notifications", "tenant"),),
    models=("qikbiz.messaging.notifications.models",),
    jobs={
        "notifications.digest": JobKind("mail", "Write a daily digest", "qikbiz.messaging.notifications.jobs:digest"),
        "notifications.forget": JobKind(
            "checks", "Delete old notifications", "qikbiz.messaging.notifications.jobs:forget"
        ),
    },
    schedule=(Periodic("forget notifications", "notifications.forget", timedelta(days=1), each_tenant=True),),
    emails={
        "assigned": "notifications.assigned",
        "mentioned": "notifications.mentioned",
        "digest": "notifications.digest",
    },
    evidence=("qikbiz.messaging.notifications.promise:KEEPINGS",),
)
