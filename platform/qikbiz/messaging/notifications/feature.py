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
        "notifications.delete_old": JobKind(
            "checks",
            "Delete old notifications",
            "qikbiz.messaging.notifications.jobs:delete_old_notifications",
            former_names=("notifications.forget",),
        ),
    },
    schedule=(Periodic("delete old notifications", "notifications.delete_old", timedelta(days=1), each_tenant=True),),
    emails={
        "assigned": "notifications.assigned",
        "mentioned": "notifications.mentioned",
        "digest": "notifications.digest",
    },
    evidence=("qikbiz.messaging.notifications.promise:KEEPINGS",),
)
