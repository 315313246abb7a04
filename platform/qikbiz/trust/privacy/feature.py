"""What this package adds to the product."""

from __future__ import annotations

from datetime import timedelta

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages
from qikbiz.kernel.job_kinds import JobKind, Periodic
from qikbiz.kernel.permissions import Permission, StaffRole

FEATURE = Feature(
    name="privacy",
    pages=(Pages("qikbiz.trust.privacy.routes:privacy", "site"),),
    setup=("qikbiz.trust.privacy.cookie_page:register",),
    navigation=(NavigationEntry("settings", 170, "cookies", "Cookies", "cookie", "cookies.index", group="Privacy"),),
    staff_permissions={
        Permission.STATEMENT_ANNOUNCE: (StaffRole.OPERATOR,),
    },
    jobs={
        "statements.notify": JobKind(
            "checks",
            "Notify of a privacy statement",
            "qikbiz.trust.privacy.jobs:notify_of_statement",
            former_names=("statements.tell",),
        ),
        "statements.probe": JobKind(
            "checks",
            "Check the published notice",
            "qikbiz.trust.privacy.jobs:probe_notice",
            120,
            is_platform=True,
            outside_seconds=60,
            former_names=("statements.watch",),
        ),
    },
    schedule=(
        # Four looks a day: a day counts when one of them found the notice standing (P19).
        Periodic("probe the published notice", "statements.probe", timedelta(hours=6)),
    ),
    emails={
        "statement_announced": "legal",
        "statement_file_differs": "security",
        "statement_withdrawn": "legal",
    },
    evidence=("qikbiz.trust.privacy.promise:KEEPINGS",),
)
