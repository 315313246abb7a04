"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages

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
    evidence=("qikbiz.messaging.mail.promise:KEEPINGS",),
)
