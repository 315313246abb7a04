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
        ("Your choices", f"You changed {', '.join(quieter)}." if quieter else "You get every kind of mail at once."),
        ("Mails sent in 30 days", number(sent)),
        ("Held back in 30 days", f"{count(opted_out, 'mail')}, because their recipients don't want them"),
    )


KEEPINGS = (
    Keeping(
        "P18",
        "Every mail belongs to one category. Product updates, improvements and each kind of notification can be "
        "switched off, on a page that says plainly what we recommend and why, or by one click in the mail itself, "
        "without logging in. The choice is asked when the mail leaves, so it counts for mails that are waiting too, "
        "and it comes back with a restored back-up. Mails about security, billing and legal matters can't be switched "
        "off, and say why.",
        "mail_choices.index",
        "E-mail & notifications",
        evidence,
        try_it="Switch one kind off and on again: the page says what you miss, and nothing else changes.",
    ),
)
