"""Caching for a minute that the provider did not answer, so that the login page can say so before it is tried.

For the first seconds nobody else is made to wait for it: else a few visitors would hold all threads of a process.
"""

from __future__ import annotations

from qikbiz.identity.accounts.realms import Realm
from qikbiz.kernel.database import runtime
from tenants.redis import RedisAway

SECONDS, SPARED_SECONDS = 60, 5


def mark_away(realm: Realm, *, is_away: bool) -> None:
    try:
        with runtime().redis.client() as client:
            if is_away:
                client.set(_key(realm), "1", ex=SECONDS)
            else:
                client.delete(_key(realm))
    except RedisAway:
        return


def was_away(realm: Realm) -> bool:
    """False also while Redis is away: then nothing is known."""
    return _seconds_left(realm) > 0


def is_spared(realm: Realm) -> bool:
    """Whether it is asked nothing just now, since it has only just not answered."""
    return _seconds_left(realm) > SECONDS - SPARED_SECONDS


def _seconds_left(realm: Realm) -> int:
    try:
        with runtime().redis.client() as client:
            return int(client.ttl(_key(realm)))
    except RedisAway:
        return 0


def _key(realm: Realm) -> str:
    return realm.key("sso", "away")
