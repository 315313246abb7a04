"""How promise P17 is kept inside the product: notifications in the app and by mail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from flask_login import current_user
from sqlalchemy import func, select

from qikbiz.kernel import clock
from qikbiz.kernel.database import db
from qikbiz.kernel.evidence import Fact, Keeping
from qikbiz.messaging.notifications.models import Notification
from qikbiz.messaging.notifications.unread import counted
from qikbiz.web.formats import number

LATELY = timedelta(days=30)


def evidence() -> Sequence[Fact]:
    """Notifications of the person in the last thirty days."""
    recent = (Notification.user_id == current_user.id, Notification.at >= clock.now() - LATELY)
    query = select(func.count(), func.count(Notification.mailed_at)).where(*recent)
    total, mailed = db.session.execute(query).one()
    return (
        ("Notifications in 30 days", number(total)),
        ("Of these, also by email", number(mailed)),
        ("Unread", number(counted(current_user.id))),
    )


KEEPINGS = (
    Keeping(
        "P17",
        "You are notified when a colleague assigns you a record or mentions you, when your import or export is ready, "
        "and when our staff use access that you granted: in the app, and by email immediately or in one digest each "
        "morning, as you choose. One action is one notification, however many records it affects. Notifications are "
        "kept for ninety days.",
        "notifications.index",
        "Notifications",
        evidence,
        try_it="Have a colleague assign you a record. It shows here and, if you choose so, by email.",
    ),
)
