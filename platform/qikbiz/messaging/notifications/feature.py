"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, Pages

FEATURE = Feature(
    name="notifications",
    pages=(Pages("qikbiz.messaging.notifications.routes:notifications", "tenant"),),
    models=("qikbiz.messaging.notifications.models",),
    emails={
        "assigned": "notifications.assigned",
        "mentioned": "notifications.mentioned",
        "digest": "notifications.digest",
    },
    evidence=("qikbiz.messaging.notifications.promise:KEEPINGS",),
)
