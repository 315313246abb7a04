"""What this package adds to the product."""

from __future__ import annotations

from datetime import timedelta

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages
from qikbiz.kernel.job_kinds import JobKind, Periodic

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
            "mail", "Send an email", "qikbiz.messaging.mail.jobs:send_mail", 120, max_attempts=60, outside_seconds=90
        ),
        "mail.send_platform": JobKind(
            "mail",
            "Send an email",
            "qikbiz.messaging.mail.jobs:send_platform_mail",
            120,
            max_attempts=60,
            is_platform=True,
            outside_seconds=90,
        ),
        "mail.delete_old": JobKind("checks", "Delete old emails", "qikbiz.messaging.mail.jobs:delete_old_mails"),
        "mail.delete_old_platform": JobKind(
            "checks", "Delete old emails", "qikbiz.messaging.mail.jobs:delete_old_platform_mails", is_platform=True
        ),
    },
    schedule=(
        Periodic("delete old emails", "mail.delete_old", timedelta(days=1), each_tenant=True),
        Periodic("delete old platform emails", "mail.delete_old_platform", timedelta(days=1)),
    ),
    hooks=("qikbiz.messaging.mail.registration:register",),
    evidence=("qikbiz.messaging.mail.promise:KEEPINGS",),
)
