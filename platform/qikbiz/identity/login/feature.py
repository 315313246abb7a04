"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, Pages
from qikbiz.kernel.job_kinds import JobKind

FEATURE = Feature(
    name="login",
    pages=(Pages("qikbiz.identity.login.blueprint:login", None),),
    jobs={
        # For any name that is typed: only the job finds out whose it is (password_links.py).
        "passwords.link": JobKind(
            "checks", "Send a password reset link", "qikbiz.identity.login.jobs:send_password_link", 60
        ),
        "passwords.link_staff": JobKind(
            "checks",
            "Send a password reset link to staff",
            "qikbiz.identity.login.jobs:send_staff_password_link",
            60,
            is_platform=True,
        ),
    },
)
