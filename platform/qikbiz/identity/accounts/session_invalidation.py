"""Having Postgres asked again about a user's sessions, whatever Redis remembers of them (`session_cache`)."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.orm import Session

from qikbiz.identity.accounts import lifetimes
from qikbiz.identity.accounts.realms import Realm
from qikbiz.jobs.actions import enqueue, enqueue_platform
from qikbiz.kernel.database import after_commit, runtime
from tenants.redis import RedisAway


def invalidate_after_commit(work: Session, realm: Realm, people: Iterable[UUID]) -> None:
    """Once `work` is committed, have Postgres asked about these people's sessions at their next request."""
    chosen = list(people)
    after_commit(work, lambda: invalidate_now(realm, chosen))


def invalidate_now(realm: Realm, people: list[UUID]) -> None:
    try:
        invalidate(realm, people)
    except RedisAway:
        _enqueue_invalidation(realm, people)


def invalidate(realm: Realm, people: Iterable[UUID]) -> None:
    """Have Postgres asked again about every session of these people. Raises RedisAway."""
    with runtime().redis.client() as client:
        for person_id in people:
            client.set(stamp_key(realm, person_id), secrets.token_hex(8), ex=stamp_seconds())


def stamp_key(realm: Realm, person_id: UUID) -> str:
    return realm.key("stamp", person_id.hex)


def stamp_seconds() -> int:
    # Longer than any record lives: a stamp that was lost is made anew, and no record agrees with it.
    return int(lifetimes.ABSOLUTE.total_seconds()) + 3600


def _enqueue_invalidation(realm: Realm, people: list[UUID]) -> None:
    # Other processes may still reach Redis, or reach it again before us: a job tells it when it can.
    arguments = {"people": [str(person_id) for person_id in people]}
    with realm.own_work():
        if realm.tenant:
            enqueue("sessions.invalidate", arguments)
        else:
            enqueue_platform("sessions.invalidate_staff", arguments)
