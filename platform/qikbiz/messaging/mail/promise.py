"""How promise P18 is kept: everybody chooses which mails they get."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from flask_login import current_user
from sqlalchemy import func, select

from qikbiz.kernel import clock
from qikbiz.kernel.database import db
from qikbiz.kernel.evidence import Fact, Keeping
from qikbiz.messaging.mail.categories import CATEGORIES
from qikbiz.messaging.mail.choices import choices_of
from qikbiz.messaging.mail.models import Mail
from qikbiz.web.formats import count, number

LATELY = timedelta(days=30)


def evidence() -> Sequence[Fact]:
    """One's own choices, and what became of the organisation's mails in the last thirty days."""
    quieter = [CATEGORIES[key].name for key, choice in choices_of(current_user.id).items() if choice != "on"]
    since = clock.now() - LATELY
    query = select(Mail.state, Mail.reason, func.count()).where(Mail.created_at >= since)
    rows = db.session.execute(query.group_by(Mail.state, Mail.reason)).all()
    sent = sum(amount for state, _, amount in rows if state == "sent")
    opted_out = sum(amount for _, reason, amount in rows if reason == "opted_out")
    return (
        ("Your settings", f"You changed {', '.join(quieter)}." if quieter else "You get all emails immediately."),
        ("Emails sent in 30 days", number(sent)),
        ("Held back in 30 days", f"{count(opted_out, 'email')}, because their recipients unsubscribed"),
    )


KEEPINGS = (
    Keeping(
        "P18",
        "Every email belongs to one category. You can unsubscribe from product updates, improvements and each kind "
        "of notification, in your settings or by one click in the email itself, without signing in. The setting is "
        "checked when an email is sent, so it also applies to emails that are waiting, and a restored backup "
        "includes it. You can't unsubscribe from emails about security, billing and legal matters; each says why.",
        "mail_choices.index",
        "Notification settings",
        evidence,
        try_it="Switch one category off and on again. Nothing else changes.",
    ),
)
