"""The durable list of sessions: the truth about who is signed in."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from qikbiz.identity.accounts import lifetimes
from qikbiz.identity.accounts.models import RememberSeries
from qikbiz.identity.accounts.realms import Account, AccountSession, Realm
from qikbiz.identity.sign_in_policy.queries import policy_of
from qikbiz.identity.sign_in_policy.sso_only import is_open_to
from qikbiz.kernel import clock


def live_session(
    work: Session, realm: Realm, keys: Sequence[bytes], person_id: UUID
) -> tuple[AccountSession, Account] | None:
    """The session under any of `keys` with its person, or None when it has ended in whatever way.

    Seen for the first time in a minute, it is written down; that write looks once more whether it was revoked.
    """
    table, people = realm.sessions, realm.people
    statement = select(table, people).join(people, people.id == table.person_id)
    statement = statement.where(
        table.id_hash.in_(keys),
        table.person_id == person_id,
        table.person_epoch == people.epoch,
        people.state == "active",
        *_is_live(realm),
    )
    found = work.execute(statement).one_or_none()
    if found is None:
        return None
    row, person = found
    if not is_open_to(realm, row.method):
        return None
    moment = clock.now()
    if row.id_hash == keys[0] and row.last_seen_at <= moment < row.last_seen_at + lifetimes.SEEN_EVERY:
        return row, person
    return (row, person) if _see(work, realm, row, person, newest_key=keys[0]) else None


def live_sessions(work: Session, realm: Realm, person_id: UUID) -> list[AccountSession]:
    """Those of one person that have not ended, the last used first."""
    table = realm.sessions
    statement = select(table).where(table.person_id == person_id, *_is_live(realm))
    return list(work.scalars(statement.order_by(table.last_seen_at.desc(), table.created_at.desc())))


def resting_devices(work: Session, realm: Realm, person_id: UUID) -> list[RememberSeries]:
    """Remembered devices that no live session belongs to now, the last used first: they sign in again by themselves."""
    if realm.tenant is None:
        return []
    table, moment = realm.sessions, clock.now()
    in_use = select(table.series_hash).where(
        table.person_id == person_id, *_is_live(realm), table.series_hash.is_not(None)
    )
    wanted = select(RememberSeries).where(
        RememberSeries.user_id == person_id,
        RememberSeries.revoked_at.is_(None),
        RememberSeries.expires_at > moment,
        RememberSeries.ends_at > moment,
        RememberSeries.series_hash.not_in(in_use),
    )
    return list(work.scalars(wanted.order_by(RememberSeries.rotated_at.desc())))


def revoke(work: Session, realm: Realm, reason: str, *, which: ColumnElement[bool]) -> list[bytes]:
    """End the sessions that `which` chooses and return their keys."""
    table = realm.sessions
    statement = (
        update(table)
        .where(which, table.revoked_at.is_(None))
        .values(revoked_at=clock.now(), revoked_reason=reason)
        .returning(table.id_hash)
        .execution_options(synchronize_session=False)
    )
    return list(work.scalars(statement))


def is_series_shown(work: Session, series_hash: bytes | None) -> bool:
    """Whether the browser has shown the newest token of a remembered device."""
    if series_hash is None:
        return True
    seen = work.scalar(select(RememberSeries.is_seen).where(RememberSeries.series_hash == series_hash))
    return seen is not False


def _is_live(realm: Realm) -> tuple[ColumnElement[bool], ...]:
    table, moment = realm.sessions, clock.now()
    return (
        table.revoked_at.is_(None),
        table.ends_at > moment,
        table.idle_until > moment,
        table.tenant_epoch == realm.epoch,
    )


def _see(work: Session, realm: Realm, row: AccountSession, person: Account, *, newest_key: bytes) -> bool:
    table, moment = realm.sessions, clock.now()
    idle_until = min(moment + policy_of(realm).idle, row.ends_at)
    statement = (
        update(table)
        .where(table.id_hash == row.id_hash, *_is_live(realm))
        # Under the newest key from now on, so that the session outlives the key it was made with.
        .values(last_seen_at=moment, idle_until=idle_until, id_hash=newest_key)
        .returning(table.id_hash)
        .execution_options(synchronize_session=False)
    )
    if work.scalar(statement) is None:
        return False
    people = realm.people
    # Skipped while the login is being changed: being seen is not worth waiting for, nor a deadlock.
    free = select(people.id).where(people.id == person.id).with_for_update(skip_locked=True)
    work.execute(
        update(people)
        .where(people.id.in_(free))
        .values(last_seen_at=moment)
        .execution_options(synchronize_session=False)
    )
    work.expunge(row)
    row.last_seen_at, row.idle_until, row.id_hash = moment, idle_until, newest_key
    return True
