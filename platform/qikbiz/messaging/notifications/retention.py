"""Notifications are news, and not kept for ever."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from qikbiz.kernel import clock
from qikbiz.messaging.notifications.models import Notification

KEPT = timedelta(days=90)


def delete_expired_notifications(session: Session) -> None:
    session.execute(delete(Notification).where(Notification.at < clock.now() - KEPT))
