"""The daily digest: one mail at eight in the morning of the person's own day, and none when there is nothing to say.

Nothing runs for who has nothing waiting: the first notification of a day asks for the job of the next morning.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select, update

from qikbiz.identity.accounts.models import User
from qikbiz.jobs.actions import enqueue
from qikbiz.kernel import clock
from qikbiz.kernel.database import db, runtime
from qikbiz.kernel.timezones import zone_of
from qikbiz.messaging.mail.actions import send
from qikbiz.messaging.mail.categories import NOTIFICATIONS, category_named, daily_kinds
from qikbiz.messaging.mail.choices import choices_of
from qikbiz.messaging.notifications.models import Notification
from tenants.context import current_tenant

AT = time(8)
# Of more only the number is said: nobody reads a longer mail.
SHOWN = 40


def plan_digest(person: User) -> None:
    """Have a digest made for the person next morning; asking again for the same morning asks for nothing more."""
    zone = zone_of(person.time_zone or current_tenant().time_zone)
    moment = next_morning(clock.now(), zone)
    job = enqueue(
        "notifications.digest",
        {"user": str(person.id)},
        run_at=moment,
        dedupe_key=_job_key(person.id, moment),
    )
    if job.state != "pending":
        # Eight o'clock passes just now: that digest is being written without this notification.
        later = next_morning(moment, zone)
        enqueue("notifications.digest", {"user": str(person.id)}, run_at=later, dedupe_key=_job_key(person.id, later))


def next_morning(now: datetime, zone: ZoneInfo) -> datetime:
    """The first eight o'clock after `now` on the clocks of `zone`, in UTC."""
    local = now.astimezone(zone)
    day = local.date() if local.time() < AT else local.date() + timedelta(days=1)
    return datetime.combine(day, AT, zone).astimezone(UTC)


def send_digest(user_id: UUID) -> bool:
    """Write the mail of what waits for it. False when there is nothing to say, or nobody who wants to hear it."""
    person = db.session.get(User, user_id)
    if person is None or person.state != "active":
        return False
    waiting, total = _waiting(person)
    if not waiting:
        return False
    send(
        "digest",
        to_address=person.email,
        to_name=person.name,
        to_user=person.id,
        values=_values(person, waiting, total),
        dedupe_key=f"digest:{waiting[-1].id}",
    )
    now = clock.now()
    due = (*_own(person), Notification.id <= waiting[-1].id)
    db.session.execute(update(Notification).where(*due).values(mailed_at=now))
    return True


def _waiting(person: User) -> tuple[Sequence[Notification], int]:
    own = _own(person)
    rows = db.session.scalars(select(Notification).where(*own).order_by(Notification.id.desc())).all()
    total = db.session.scalar(select(func.count()).where(*own)) or 0
    return rows[:SHOWN][::-1], total


def _own(person: User) -> tuple[ColumnElement[bool], ...]:
    """Unread, not mailed yet, and of a kind that the person still wants once a day."""
    kinds = [key.removeprefix(NOTIFICATIONS) for key in daily_kinds(choices_of(person.id))]
    return (
        Notification.user_id == person.id,
        Notification.mail == "daily",
        Notification.mailed_at.is_(None),
        Notification.read_at.is_(None),
        Notification.kind.in_(kinds),
    )


def _values(person: User, waiting: Sequence[Notification], total: int) -> dict[str, object]:
    tenant = current_tenant()
    origin = runtime().settings.origin(tenant.host)
    zone = zone_of(person.time_zone or tenant.time_zone)
    entries = [
        {
            "subject": row.subject,
            "kind": category_named(NOTIFICATIONS + row.kind).name,
            "when": f"{row.at.astimezone(zone):%a %H:%M}",
            "url": origin + row.url,
        }
        for row in waiting
    ]
    more = total - len(entries)
    values = {"name": person.name, "organisation": tenant.name, "entries": entries, "total": total, "more": more}
    return values | {"url": f"{origin}/notifications"}


def _job_key(user_id: UUID, moment: datetime) -> str:
    return f"digest:{user_id}:{moment.isoformat()}"
