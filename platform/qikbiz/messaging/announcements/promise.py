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
        ("Mails of these that were sent", number(mails)),
    )


KEEPINGS = (
    Keeping(
        "P17",
        "What is new, what goes away and what will be interrupted is announced by mail, to everybody or to "
        "administrators. Each announcement belongs to a kind of mails, each person gets it once at most, and who has "
        "opted out of the kind gets nothing, also when the mail was already waiting. Your audit names every "
        "announcement that was sent to your people, and who wrote it.",
        "mail_choices.index",
        "E-mail & notifications",
        evidence,
        try_it="See which kinds of mail you get, and switch one off.",
    ),
)
