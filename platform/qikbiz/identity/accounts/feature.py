"""What this package adds to the product."""

from __future__ import annotations

from datetime import timedelta

from qikbiz.kernel.feature import Feature
from qikbiz.kernel.job_kinds import JobKind, Periodic

FEATURE = Feature(
    name="accounts",
    models=("qikbiz.identity.accounts.models",),
    jobs={
        "sessions.delete_old": JobKind(
            "checks", "Delete old sessions", "workers.jobs.accounts:forget_sessions", former_names=("sessions.forget",)
        ),
        "sessions.delete_old_staff": JobKind(
            "checks",
            "Delete old staff sessions",
            "workers.jobs.accounts:forget_staff_sessions",
            is_platform=True,
            former_names=("sessions.forget_staff",),
        ),
        # For any name that is typed: only the job finds out whose it is (qikbiz.identity.login.password_links).
        "passwords.link": JobKind(
            "checks", "Send a password reset link", "workers.jobs.accounts:send_password_link", 60
        ),
        "passwords.link_staff": JobKind(
            "checks",
            "Send a password reset link to staff",
            "workers.jobs.accounts:send_staff_password_link",
            60,
            is_platform=True,
        ),
        # Tells Redis, once it can be reached again, which sessions it must not vouch for (session_invalidation).
        "sessions.invalidate": JobKind(
            "checks",
            "End sessions",
            "workers.jobs.accounts:doubt_sessions",
            60,
            max_attempts=60,
            former_names=("sessions.doubt",),
        ),
        "sessions.invalidate_staff": JobKind(
            "checks",
            "End staff sessions",
            "workers.jobs.accounts:doubt_staff_sessions",
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
    emails={
        "invitation": "security",
        "mailed_code": "security",
        "new_device": "security",
        "password_changed": "security",
        "password_reset": "security",
        "sign_in_changed": "security",
        "staff_invitation": "security",
        "theft_detected": "security",
        "operator_login": "security",
    },
)
