"""Jobs about notifications: the daily digest of one person, and the daily retention."""

from __future__ import annotations

from uuid import UUID

from qikbiz.jobs.job_context import JobContext
from qikbiz.messaging.notifications.digest import send_digest
from qikbiz.messaging.notifications.retention import delete_expired_notifications


def digest(work: JobContext) -> None:
    """The mail and `done` are committed together: a worker that is killed in between leaves neither."""
    with work.finish():
        send_digest(UUID(work.arguments["user"]))


def delete_old_notifications(work: JobContext) -> None:
    with work.finish() as session:
        delete_expired_notifications(session)
