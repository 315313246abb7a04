"""What Redis remembers of a session, so that an ordinary request asks Postgres nothing about the person.

Each person has a stamp in Redis. Whatever changes for the person or ends one of the sessions sets a new stamp, after
its commit; a record made under an older stamp is not valid. So nothing that a slow request writes back can bring an
ended session to life. Redis decides nothing: what it does not confirm, Postgres is asked.

A record is sealed with the key ring for its tenant and key. Whoever reads Redis learns no names, and whoever writes
there gives no rights: at most a record of the last minute could be put back.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

from config.keys import SealBroken
from qikbiz.identity.accounts import lifetimes
from qikbiz.identity.accounts.principal import Preview, Principal
from qikbiz.identity.accounts.realms import Realm
from qikbiz.identity.accounts.session_invalidation import stamp_key, stamp_seconds
from qikbiz.identity.roles.builtin_roles import edition
from qikbiz.kernel import clock
from qikbiz.kernel.database import runtime
from qikbiz.kernel.rights import rights_from_text

# Clocks of several machines may differ by this much when a record's age is compared with an outage.
_MARGIN_SECONDS = 1.0
_PURPOSE = "session-record"
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Remembered:
    """One session as Redis knows it. Times are aware; `stamp` is the person's at the time of writing."""

    person: Principal
    stamp: str
    epoch: int
    idle_until: datetime
    ends_at: datetime
    seen_at: datetime
    written_at: float

    def is_valid(self, stamp: str, epoch: int) -> bool:
        """Whether this may be used without asking Postgres."""
        now = clock.now()
        return (
            self.stamp == stamp
            and self.epoch == epoch
            and (self.person.preview is None or now < self.person.preview.until)
            and self.seen_at <= now < min(self.idle_until, self.ends_at, self.seen_at + lifetimes.SEEN_EVERY)
            and self.written_at >= runtime().redis.back_at + _MARGIN_SECONDS
        )


def get(realm: Realm, session_key: bytes, person_id: UUID) -> tuple[Remembered | None, str]:
    """The record, if there is one, and the person's stamp. Raises RedisAway."""
    stamp_name = stamp_key(realm, person_id)
    with runtime().redis.client() as client:
        record, stamp = cast(list[str | None], client.mget([_record_key(realm, session_key), stamp_name]))
        if stamp is None:
            client.set(stamp_name, secrets.token_hex(8), nx=True, ex=stamp_seconds())
            record, stamp = None, cast(str | None, client.get(stamp_name))
    return _read(realm, record, session_key), str(stamp)


def put(realm: Realm, remembered: Remembered, *, is_known: bool) -> None:
    """Write the record: a new one only where none is, a known one only where it still is. Raises RedisAway."""
    seconds = int((remembered.ends_at - clock.now()).total_seconds())
    if seconds < 1:
        return
    key = _record_key(realm, remembered.person.session_key)
    with runtime().redis.client() as client:
        client.set(key, _sealed(key, remembered), ex=seconds, nx=not is_known, xx=is_known)


def delete(realm: Realm, session_keys: Iterable[bytes]) -> None:
    """Raises RedisAway."""
    names = [_record_key(realm, key) for key in session_keys]
    if names:
        with runtime().redis.client() as client:
            client.delete(*names)


def _record_key(realm: Realm, session_key: bytes) -> str:
    return realm.key("s", session_key.hex())


def _sealed(key: str, remembered: Remembered) -> str:
    # The key holds the tenant.
    return runtime().settings.keys.seal(_PURPOSE, _written(remembered).encode(), bound_to=key)


def _written(remembered: Remembered) -> str:
    person = remembered.person
    return json.dumps(
        {
            "kind": person.kind,
            "id": person.id.hex,
            "name": person.name,
            "email": person.email,
            "role": person.role,
            "roles": list(person.roles),
            "rights": person.rights.text,
            "edition": edition(),
            "preview": [person.preview.name, person.preview.until.timestamp()] if person.preview else None,
            "fresh_until": person.fresh_until.timestamp() if person.fresh_until else None,
            "time_zone": person.time_zone,
            "preferences": person.preferences,
            "is_remembered": person.is_remembered,
            "has_new_token": person.has_new_token,
            "networks": person.networks,
            "stamp": remembered.stamp,
            "epoch": remembered.epoch,
            "idle_until": remembered.idle_until.timestamp(),
            "ends_at": remembered.ends_at.timestamp(),
            "seen_at": remembered.seen_at.timestamp(),
            "written_at": remembered.written_at,
        }
    )


def _read(realm: Realm, sealed: str | None, session_key: bytes) -> Remembered | None:
    if sealed is None:
        return None
    try:
        opened = runtime().settings.keys.open(_PURPOSE, sealed, bound_to=_record_key(realm, session_key))
        return _remembered(json.loads(opened.plaintext), session_key)
    except SealBroken:
        logger.warning("session_record_invalid")
        return None
    except (ValueError, TypeError, KeyError):
        # Written by another version of the program: Postgres knows.
        return None


def _remembered(record: dict[str, Any], session_key: bytes) -> Remembered:
    if record["edition"] != edition():
        raise ValueError("Made under another table of rights.")
    person = Principal(
        kind=record["kind"],
        id=UUID(record["id"]),
        name=record["name"],
        email=record["email"],
        role=record["role"],
        roles=tuple(record["roles"]),
        rights=rights_from_text(record["rights"]),
        preview=_preview(record),
        session_key=session_key,
        fresh_until=_moment(record["fresh_until"]) if record["fresh_until"] else None,
        time_zone=record["time_zone"],
        preferences=dict(record["preferences"]),
        is_remembered=record["is_remembered"],
        has_new_token=record["has_new_token"],
        networks=tuple(record["networks"]),
    )
    return Remembered(
        person=person,
        stamp=record["stamp"],
        epoch=int(record["epoch"]),
        idle_until=_moment(record["idle_until"]),
        ends_at=_moment(record["ends_at"]),
        seen_at=_moment(record["seen_at"]),
        written_at=float(record["written_at"]),
    )


def _preview(record: dict[str, Any]) -> Preview | None:
    if record["preview"] is None:
        return None
    name, until = record["preview"]
    return Preview(name, _moment(until), rights_from_text(record["rights"]))


def _moment(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)
