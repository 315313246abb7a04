"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages
from qikbiz.kernel.job_kinds import HOUR, JobKind
from qikbiz.kernel.permissions import Permission, StaffRole

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
    staff_permissions={
        Permission.ANNOUNCEMENT_SEND: (StaffRole.OPERATOR,),
    },
    jobs={
        "announcements.send": JobKind(
            "mail",
            "Send an announcement",
            "qikbiz.messaging.announcements.jobs:send_announcement",
            HOUR,
            is_platform=True,
        ),
        "announcements.deliver": JobKind(
            "mail", "Create an announcement's emails", "qikbiz.messaging.announcements.jobs:deliver", HOUR
        ),
        "announcements.count": JobKind(
            "mail",
            "Count an announcement's emails",
            "qikbiz.messaging.announcements.jobs:count",
            HOUR,
            is_platform=True,
            former_names=("announcements.watch",),
        ),
    },
    emails={
        "announced_improvements": "improvements",
        "announced_legal": "legal",
        "announced_security": "security",
        "announced_updates": "updates",
        "announcement_trial": "answers",
    },
    hooks=("qikbiz.messaging.announcements.registration:register",),
    evidence=("qikbiz.messaging.announcements.promise:KEEPINGS",),
)
