"""What this package adds to the product."""

from __future__ import annotations

from datetime import timedelta

from qikbiz.kernel.feature import Feature
from qikbiz.kernel.job_kinds import JobKind, Periodic

FEATURE = Feature(
    name="sessions",
    jobs={
        "sessions.delete_old": JobKind(
            "checks",
            "Delete old sessions",
            "qikbiz.identity.sessions.jobs:delete_old_sessions",
            former_names=("sessions.forget",),
        ),
        "sessions.delete_old_staff": JobKind(
            "checks",
            "Delete old staff sessions",
            "qikbiz.identity.sessions.jobs:delete_old_staff_sessions",
            is_platform=True,
            former_names=("sessions.forget_staff",),
        ),
        # Tells Redis, once it can be reached again, which sessions it must not vouch for.
        "sessions.invalidate": JobKind(
            "checks",
            "End sessions",
            "qikbiz.identity.sessions.jobs:invalidate_sessions",
            60,
            max_attempts=60,
            former_names=("sessions.doubt",),
        ),
        "sessions.invalidate_staff": JobKind(
            "checks",
            "End staff sessions",
            "qikbiz.identity.sessions.jobs:invalidate_staff_sessions",
            60,
            max_attempts=60,
            is_platform=True,
            former_names=("sessions.doubt_staff",),
        ),
    },
    schedule=(
        Periodic("delete old staff sessions", "sessions.delete_old_staff", timedelta(days=1)),
        Periodic("delete old sessions", "sessions.delete_old", timedelta(days=1), each_tenant=True),
    ),
)
