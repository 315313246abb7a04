"""Telling people what happened: a row for the app and, as each of them likes it, a mail. In the act's transaction."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import select, update

from qikbiz.identity.accounts.models import User
from qikbiz.kernel import clock
from qikbiz.kernel.database import db, runtime
from qikbiz.kernel.errors import NotFound
from qikbiz.messaging.mail.actions import send
from qikbiz.messaging.mail.addresses import BadAddress
from qikbiz.messaging.mail.categories import NOTIFICATIONS, Choice, category_named
from qikbiz.messaging.mail.choices import choices_of_several
from qikbiz.messaging.notifications.digest import plan_digest
from qikbiz.messaging.notifications.models import Notification
from qikbiz.messaging.notifications.unread import invalidate_counts
from tenants.context import current_tenant

LONGEST_SUBJECT = 300
MAIL_OF_CHOICE: dict[Choice, str] = {"on": "at_once", "daily": "daily", "app": "none"}
logger = logging.getLogger(__name__)


def notify(
    user_ids: Iterable[UUID],
    kind: str,
    subject: str,
    url: str,
    *,
    template: str = "",
    values: Mapping[str, object] | None = None,
    is_mailed_already: bool = False,
) -> list[Notification]:
    """Notify each of these people once, if the current transaction commits. Returns the rows.

    `kind` is one of `mail.categories.KINDS` without its first word; `url` a path of this tenant's site. The mail is
    made from the template named like the kind, unless another `template` of the same category is given, with `values`
    beside the usual ones. `is_mailed_already` is for what a mail that can't be switched off says too: it is not said
    twice at once. Who can't sign in, or wants nothing of this kind, is left out.
    """
    category = category_named(NOTIFICATIONS + kind)
    if not url.startswith("/") or url.startswith("//"):
        raise ValueError("A notification leads to a page of the tenant's own site.")
    rows = []
    people = _people(user_ids)
    choices = choices_of_several([person.id for person in people], category)
    for person in people:
        choice = choices[person.id]
        if choice == "off":
            continue
        row = Notification(user_id=person.id, kind=kind, subject=_one_line(subject), url=url)
        row.mail = "none" if is_mailed_already and choice == "on" else MAIL_OF_CHOICE[choice]
        db.session.add(row)
        db.session.flush()
        _mail(person, row, template or kind, values or {})
        rows.append(row)
    invalidate_counts(row.user_id for row in rows)
    return rows


def mark_read(user_id: UUID, notification_id: UUID) -> None:
    """Raises NotFound for another user's."""
    own = (Notification.id == notification_id, Notification.user_id == user_id)
    if db.session.scalar(select(Notification.id).where(*own)) is None:
        raise NotFound("This notification no longer exists. Notifications are kept for ninety days.")
    db.session.execute(update(Notification).where(*own, Notification.read_at.is_(None)).values(read_at=clock.now()))
    invalidate_counts([user_id])


def mark_all_read(user_id: UUID, up_to: UUID) -> int:
    """Mark everything up to the newest that the person has seen on the page; what came meanwhile stays unread."""
    unread = (Notification.user_id == user_id, Notification.read_at.is_(None), Notification.id <= up_to)
    done = db.session.execute(
        update(Notification).where(*unread).values(read_at=clock.now()).returning(Notification.id)
    )
    invalidate_counts([user_id])
    return len(done.all())


def _people(user_ids: Iterable[UUID]) -> Sequence[User]:
    # In one order: two transactions that notify the same people wait for each other and don't deadlock.
    wanted = sorted(set(user_ids))
    return db.session.scalars(select(User).where(User.id.in_(wanted), User.state == "active").order_by(User.id)).all()


def _mail(person: User, row: Notification, template: str, values: Mapping[str, object]) -> None:
    if row.mail == "daily":
        plan_digest(person)
    if row.mail != "at_once":
        return
    tenant = current_tenant()
    usual = {"name": person.name, "organisation": tenant.name, "subject": row.subject}
    usual["url"] = runtime().settings.origin(tenant.host) + row.url
    try:
        send(
            template,
            to_address=person.email,
            to_name=person.name,
            to_user=person.id,
            values={**usual, **values},
            dedupe_key=f"notification:{row.id}",
        )
    except BadAddress:
        # Not worth failing the transaction: it stands in the app.
        logger.warning("notification_not_mailed", extra={"notification": str(row.id)})
        return
    row.mailed_at = clock.now()


def _one_line(subject: str) -> str:
    line = " ".join("".join(c if c.isprintable() else " " for c in subject).split())
    return line if len(line) <= LONGEST_SUBJECT else line[: LONGEST_SUBJECT - 1].rstrip() + "…"
