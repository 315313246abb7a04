"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages
from qikbiz.kernel.job_kinds import JobKind

FEATURE = Feature(
    name="mail",
    pages=(
        Pages("qikbiz.messaging.mail.choice_pages:mail_choices", "tenant"),
        Pages("qikbiz.messaging.mail.routes:mailbox", "site", in_production=False),
    ),
    models=("qikbiz.messaging.mail.models",),
    navigation=(
        NavigationEntry("settings", 40, "mail_choices", "Notifications", "mail", "mail_choices.index", group="You"),
    ),
    jobs={
        # Many tries: a mail server may be away for days (qikbiz.messaging.mail.delivery says when the next one is).
        "mail.send": JobKind(
            "mail", "Send an email", "workers.jobs.mail:send_mail", 120, max_attempts=60, outside_seconds=90
        ),
        "mail.send_platform": JobKind(
            "mail",
            "Send an email",
            "workers.jobs.mail:send_platform_mail",
            120,
            max_attempts=60,
            is_platform=True,
            outside_seconds=90,
        ),
    },
    evidence=("qikbiz.messaging.mail.promise:KEEPINGS",),
)
