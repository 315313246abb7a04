"""Logins that last: opening, resuming and ending sessions. docs/decisions/0002-sessions.md says why it is done so."""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from dataclasses import replace
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, select, true, update
from sqlalchemy.orm import Session

from config.keys import Opened
from qikbiz.identity.accounts import lifetimes
from qikbiz.identity.accounts.devices import place_of_request
from qikbiz.identity.accounts.models import RememberSeries, UserSession
from qikbiz.identity.accounts.principal import Principal
from qikbiz.identity.accounts.realms import Account, AccountSession, Realm
from qikbiz.identity.accounts.session_invalidation import invalidate_after_commit
from qikbiz.identity.roles.builtin_roles import staff_rights
from qikbiz.identity.roles.effective_rights import granted_rights, names_of_roles
from qikbiz.identity.roles.view_as import preview_of
from qikbiz.identity.sessions import session_cache, session_store
from qikbiz.identity.sessions.session_cache import Remembered
from qikbiz.identity.sign_in_policy.queries import policy_of
from qikbiz.kernel import clock
from qikbiz.kernel.database import after_commit
from qikbiz.security.access_log.kinds import AccessKind
from qikbiz.security.access_log.recorder import record_access
from qikbiz.web.cookies import SESSION, set_cookie
from qikbiz.web.user_agents import device_of_request
from qikbiz.web.visit_cookie import record_login
from tenants.redis import RedisAway

PURPOSE = "session-id"
_ID_BYTES = 32
# A user who signs out or in again is in the access log for that.
_SAID_OTHERWISE = ("logout", "new_login")
logger = logging.getLogger(__name__)


def open_session(
    work: Session,
    realm: Realm,
    account: Account,
    method: str,
    *,
    is_fresh: bool,
    series_hash: bytes | None = None,
    from_anywhere: bool = False,
) -> Principal:
    """Log `account` in on this device with an id of its own, and have the response carry the cookie.

    `from_anywhere` spares this one session the list of networks.
    """
    secret, moment, policy = secrets.token_bytes(_ID_BYTES), clock.now(), policy_of(realm)
    row: AccountSession = realm.sessions(
        id_hash=realm.mac(PURPOSE, secret),
        person_id=account.id,
        person_epoch=account.epoch,
        tenant_epoch=realm.epoch,
        created_at=moment,
        last_seen_at=moment,
        idle_until=moment + policy.idle,
        ends_at=moment + policy.absolute,
        fresh_until=moment + lifetimes.FRESH if is_fresh else None,
        method=method,
        device=device_of_request(),
        address_prefix=place_of_request(),
        series_hash=series_hash,
        from_anywhere=from_anywhere,
    )
    work.add(row)
    account.last_seen_at = moment
    work.flush()
    _end_beyond_the_limit(work, realm, account.id)
    set_cookie(SESSION, account.id.bytes + secret)
    record_login()
    return _with_form_key(person_of(work, realm, account, row), secret)


def resume(realm: Realm, opened: Opened) -> Principal | None:
    """Who the session cookie says is there, or None when that session has ended."""
    person_id, secret = UUID(bytes=opened.plaintext[:16]), opened.plaintext[16:]
    keys = realm.macs(PURPOSE, secret)
    try:
        known, stamp = session_cache.get(realm, keys[0], person_id)
    except RedisAway:
        known, stamp = None, ""
    if known is not None and known.is_valid(stamp, realm.epoch):
        found: Remembered | None = known
    else:
        found = _asked_of_postgres(realm, keys, person_id, stamp)
        _write_back(realm, found, keys[0], was_known=known is not None)
    if found is None:
        return None
    if opened.is_stale:
        set_cookie(SESSION, opened.plaintext)
    return _with_form_key(found.person, secret)


def end_session(work: Session, realm: Realm, key: bytes, reason: str) -> bool:
    """End one session. False when there was none."""
    table = realm.sessions
    return bool(_end(work, realm, reason, table.id_hash == key))


def end_session_and_device(work: Session, realm: Realm, row: AccountSession, reason: str) -> None:
    """End a session together with the remembering that could bring it back."""
    if row.series_hash is not None:
        work.execute(
            update(RememberSeries)
            .where(RememberSeries.series_hash == row.series_hash)
            .values(revoked_at=clock.now(), revoked_reason=reason)
            .execution_options(synchronize_session=False)
        )
    end_session(work, realm, row.id_hash, reason)


def revoke_device(work: Session, series: RememberSeries, reason: str) -> None:
    """A remembered device that nobody uses now signs in no more by itself."""
    series.revoked_at, series.revoked_reason = clock.now(), reason


def end_sessions_of(
    work: Session, realm: Realm, person_id: UUID, reason: str, *, except_key: bytes | None = None
) -> int:
    """End every session of a person (but the one given) and every remembered device."""
    table = realm.sessions
    other = table.id_hash != except_key if except_key else true()
    ended = _end(work, realm, reason, and_(table.person_id == person_id, other))
    if realm.tenant:
        work.execute(
            update(RememberSeries)
            .where(RememberSeries.user_id == person_id, RememberSeries.revoked_at.is_(None))
            .values(revoked_at=clock.now(), revoked_reason=reason)
            .execution_options(synchronize_session=False)
        )
    invalidate_after_commit(work, realm, [person_id])
    return len(ended)


def end_sessions_where(work: Session, realm: Realm, reason: str, which: ColumnElement[bool]) -> int:
    """End the sessions that `which` chooses, whosever they are."""
    return len(_end(work, realm, reason, which))


def make_fresh(work: Session, realm: Realm, key: bytes, person_id: UUID) -> None:
    """The person has just given the password again."""
    table = realm.sessions
    work.execute(
        update(table)
        .where(table.id_hash == key)
        .values(fresh_until=clock.now() + lifetimes.FRESH)
        .execution_options(synchronize_session=False)
    )
    invalidate_after_commit(work, realm, [person_id])


def _end(work: Session, realm: Realm, reason: str, which: ColumnElement[bool]) -> list[bytes]:
    table = realm.sessions
    people = set(work.scalars(_people_of(realm, which)))
    keys = session_store.revoke(work, realm, reason, which=which)
    if keys:
        _record_ended(work, realm, people, reason)
        invalidate_after_commit(work, realm, people)
        after_commit(work, lambda: _delete_cached(realm, keys))
    logger.info("sessions_ended", extra={"reason": reason, "sessions": len(keys), "table": table.__tablename__})
    return keys


def _record_ended(work: Session, realm: Realm, people: set[UUID], reason: str) -> None:
    if reason in _SAID_OTHERWISE:
        return
    for person in work.scalars(select(realm.people).where(realm.people.id.in_(people))):
        record_access(AccessKind.SESSION_ENDED, person=person, detail=reason.replace("_", " ").capitalize())


def _people_of(realm: Realm, which: ColumnElement[bool]) -> Select[UUID]:
    return select(realm.sessions.person_id).where(which).distinct()


def _delete_cached(realm: Realm, keys: list[bytes]) -> None:
    try:
        session_cache.delete(realm, keys)
    except RedisAway:
        logger.warning("session_records_not_deleted", extra={"sessions": len(keys)})


def _asked_of_postgres(realm: Realm, keys: tuple[bytes, ...], person_id: UUID, stamp: str) -> Remembered | None:
    # `stamp` was read before Postgres is asked: a change in between then differs from it.
    with realm.own_work() as work:
        found = session_store.live_session(work, realm, keys, person_id)
        if found is None:
            return None
        row, account = found
        has_new_token = not session_store.is_series_shown(work, row.series_hash)
        return Remembered(
            person=replace(person_of(work, realm, account, row), has_new_token=has_new_token),
            stamp=stamp,
            epoch=realm.epoch,
            idle_until=row.idle_until,
            ends_at=row.ends_at,
            seen_at=row.last_seen_at,
            written_at=time.time(),
        )


def _with_form_key(person: Principal, secret: bytes) -> Principal:
    # Of the id itself and not of its MAC, so that a form opened before a roll of keys is good after it.
    return replace(person, form_key=hashlib.sha256(b"form|" + secret).digest())


def person_of(work: Session, realm: Realm, account: Account, row: AccountSession) -> Principal:
    """The snapshot of a login that a session carries."""
    roles = account.role_keys()
    # The organisation's own zone is asked for on each page: who chose none follows it when it changes.
    zone = account.time_zone or ("" if realm.tenant else "UTC")
    rights = granted_rights(work, account.id, roles) if realm.tenant else staff_rights(roles[0])
    preview = None
    if isinstance(row, UserSession):
        preview = preview_of(work, row.viewing, row.viewing_until, account.id, rights)
    return Principal(
        kind=realm.kind,
        id=account.id,
        name=account.name,
        email=account.email,
        role=", ".join(names_of_roles(work, roles).values()) if realm.tenant else roles[0],
        roles=roles,
        rights=preview.rights if preview else rights,
        preview=preview,
        session_key=row.id_hash,
        fresh_until=row.fresh_until,
        time_zone=zone,
        preferences={**account.preferences, "time_zone": zone},
        is_remembered=row.series_hash is not None,
        networks=() if row.from_anywhere else policy_of(realm).networks,
    )


def _write_back(realm: Realm, found: Remembered | None, key: bytes, *, was_known: bool) -> None:
    try:
        if found is None:
            session_cache.delete(realm, [key])
        elif found.stamp:
            session_cache.put(realm, found, is_known=was_known)
    except RedisAway:
        logger.info("session_record_not_written")


def _end_beyond_the_limit(work: Session, realm: Realm, person_id: UUID) -> None:
    oldest = session_store.live_sessions(work, realm, person_id)[lifetimes.SESSIONS_PER_PERSON :]
    if oldest:
        _end(work, realm, "too_many_sessions", realm.sessions.id_hash.in_([row.id_hash for row in oldest]))
