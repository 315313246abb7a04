"""Remembering for a minute that the provider did not answer, so that the login page can say so before it is tried."""

from __future__ import annotations

from qikbiz.accounts.realms import Realm
from qikbiz.database import runtime
from tenants.redis import RedisAway

SECONDS = 60


def note_away(realm: Realm, *, is_away: bool) -> None:
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
    try:
        with runtime().redis.client() as client:
            return client.get(_key(realm)) is not None
    except RedisAway:
        return False


def _key(realm: Realm) -> str:
    return realm.key("sso", "away")
