"""How promise P17 is kept by what the platform announces."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import func, select

from qikbiz.kernel import clock
from qikbiz.kernel.database import db
from qikbiz.kernel.evidence import Fact, Keeping
from qikbiz.messaging.mail.models import Mail
from qikbiz.web.formats import number

LATELY = timedelta(days=30)


def evidence() -> Sequence[Fact]:
    """What was announced to the organisation's people in the last thirty days."""
    lately = (Mail.announcement_id.is_not(None), Mail.created_at >= clock.now() - LATELY)
    sent = func.count().filter(Mail.state == "sent")
    query = select(func.count(Mail.announcement_id.distinct()), sent).where(*lately)
    announcements, mails = db.session.execute(query).one()
    return (
        ("Announcements in 30 days", number(announcements)),
        ("Emails sent for these", number(mails)),
    )


KEEPINGS = (
    Keeping(
        "P17",
        "New features, removals and planned downtime are announced by email, to all users or to administrators. "
        "Each announcement belongs to a category, each user gets it at most once, and users who unsubscribed from "
        "the category don't get it, even if the email was already waiting. Your audit lists every announcement "
        "sent to your users, and its author.",
        "mail_choices.index",
        "Notification settings",
        evidence,
        try_it="Open your notification settings and unsubscribe from one category.",
    ),
)
