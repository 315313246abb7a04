"""What a browser is told whose login ended because a remembered device's token was used twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from qikbiz.identity.accounts.emails import words_for_moment
from qikbiz.identity.accounts.realms import Realm
from qikbiz.security.access_log.kinds import AccessKind
from qikbiz.security.access_log.models import AccessEvent
from qikbiz.web.flash import show_toast

THEFT = "token_reuse"
# Both rows are written within one request.
_APART = timedelta(minutes=1)


def say_if_stolen(work: Session, realm: Realm, keys: Sequence[bytes]) -> None:
    """For a session, by its key: say when and from where the token was used, if that is what ended it."""
    table = realm.sessions
    ended = select(table.person_id, table.revoked_at).where(table.id_hash.in_(keys), table.revoked_reason == THEFT)
    found = work.execute(ended).one_or_none()
    if found is not None and found.revoked_at is not None:
        say_stolen(work, realm, found.person_id, found.revoked_at)


def say_stolen(work: Session, realm: Realm, person_id: UUID, at: datetime) -> None:
    when = words_for_moment(realm, work.get_one(realm.people, person_id), at)
    show_toast(
        f"On {when} the sign-in remembered on one of your devices was used a second time"
        f"{_by(work, person_id, at)}. It may have been copied, so we signed you out everywhere. "
        "If you can't explain it, choose a new password.",
        kind="failed",
    )


def _by(work: Session, person_id: UUID, at: datetime) -> str:
    event = work.scalars(
        select(AccessEvent)
        .where(
            AccessEvent.person_id == person_id,
            AccessEvent.kind == AccessKind.REMEMBERED.value,
            AccessEvent.outcome == "refused",
            AccessEvent.at.between(at - _APART, at + _APART),
        )
        .order_by(AccessEvent.id.desc())
        .limit(1)
    ).one_or_none()
    return f", by {event.device} from {event.prefix}" if event is not None else ""
