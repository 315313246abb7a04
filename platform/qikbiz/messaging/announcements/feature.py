"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages

FEATURE = Feature(
    name="announcements",
    pages=(Pages("qikbiz.messaging.announcements.routes:announcements", "console"),),
    models=("qikbiz.messaging.announcements.models",),
    navigation=(
        NavigationEntry(
            "console",
            60,
            "announcements",
            "Announcements",
            "send",
            "announcements.index",
            permission="announcement:send",
        ),
    ),
    emails={
        "announced_improvements": "improvements",
        "announced_legal": "legal",
        "announced_security": "security",
        "announced_updates": "updates",
        "announcement_trial": "answers",
    },
    evidence=("qikbiz.messaging.announcements.promise:KEEPINGS",),
)
