"""How often a password may be tried: for each name from each address, for each address, and for each name.

Counted in Redis over a sliding window; in this process alone while Redis is away, so that nobody is locked out. A name
is never locked: a remembered device passes, and a new password by mail is always possible.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from flask import request

from qikbiz.abuse.marks import mark
from qikbiz.accounts import times
from qikbiz.accounts.realms import Realm
from qikbiz.database import runtime
from qikbiz.failures import TooMany
from qikbiz.web.client_address import client_address, unit
from qikbiz.web.figures import count_login
from tenants.redis import RedisAway

_QUARTER, _HOUR, _DAY = 900, 3600, 86_400
_MOST_COUNTERS = 20_000
# Two fixed buckets, the older one weighted: no double allowance where one window meets the next. Asking and counting
# are one step, so that a thousand tries at once are not all let through before the first is counted.
_TRY = """
local wait = 0
for i = 1, #KEYS / 2 do
  local now = tonumber(redis.call('GET', KEYS[2 * i - 1]) or '0')
  local before = tonumber(redis.call('GET', KEYS[2 * i]) or '0')
  if now + math.floor(before * tonumber(ARGV[4 * i - 2])) >= tonumber(ARGV[4 * i - 3]) then
    wait = math.max(wait, tonumber(ARGV[4 * i - 1]))
  end
end
if wait > 0 then return wait end
for i = 1, #KEYS / 2 do
  redis.call('INCR', KEYS[2 * i - 1])
  redis.call('EXPIRE', KEYS[2 * i - 1], ARGV[4 * i])
end
return 0
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `tries` in any `seconds` for one `subject`."""

    subject: str
    tries: int
    seconds: int


def try_login(realm: Realm, name: str, *, is_known_device: bool) -> Callable[[], None]:
    """Count one try. Raises TooMany. Call what it returns when the password was right: the try is given back."""
    limits = [
        Limit(f"login:{_mark(realm, name)}:{_unit()}", 10, _QUARTER),
        Limit(f"login:unit:{_unit()}", 60, _QUARTER),
    ]
    if not is_known_device:
        limits.append(Limit(f"login:name:{_mark(realm, name)}", 50, _HOUR))
    return _count(realm, limits)


def try_confirmation(realm: Realm, name: str) -> Callable[[], None]:
    """As `try_login`, for somebody logged in who is asked for the password again."""
    return _count(realm, [Limit(f"confirm:{_mark(realm, name)}", 10, _QUARTER)])


def try_passkey(realm: Realm) -> None:
    """Count one question to, or answer of, a passkey of somebody we don't know yet. Raises TooMany."""
    _count(realm, [Limit(f"passkey:unit:{_unit()}", 120, _QUARTER)])


def try_factor(realm: Realm, name: str) -> Callable[[], None]:
    """As `try_login`, for the code beside a right password. Nobody gets here without that password, so that
    counting by person locks out nobody but who has it."""
    mark = _mark(realm, name)
    return _count(realm, [Limit(f"factor:{mark}", 6, _QUARTER), Limit(f"factor-day:{mark}", 40, _DAY)])


def try_break_glass(realm: Realm) -> None:
    """Count one try of a break-glass code. Raises TooMany."""
    _count(realm, [Limit(f"glass:unit:{_unit()}", 5, _QUARTER), Limit("glass:all", 60, _HOUR)])


def ask_provider(realm: Realm) -> Callable[[], None]:
    """As `try_login`, for one way to the identity provider or back, which makes us ask its servers.

    A whole office may come from one address in the morning; who comes in gives the try back.
    """
    return _count(realm, [Limit(f"sso:unit:{_unit()}", 300, _QUARTER), Limit("sso:all", 3_000, _QUARTER)])


def ask_for_strength(realm: Realm) -> None:
    """Count one look at a password's strength from this address. Raises TooMany."""
    _count(realm, [Limit(f"strength:unit:{_unit()}", 240, _QUARTER)])


def ask_for_link(realm: Realm) -> None:
    """Count one request for a mail from this address. Raises TooMany."""
    _count(realm, [Limit(f"link:unit:{_unit()}", 20, _HOUR)])


def may_send_link(realm: Realm, name: str) -> bool:
    """Whether one more mail may go to this name. The visitor is not told."""
    try:
        _count(realm, [Limit(f"link:name:{_mark(realm, name)}", 5, _HOUR)])
    except TooMany:
        return False
    return True


def keep_within(realm: Realm, limits: Sequence[Limit]) -> Callable[[], None]:
    """Count one more against each limit, or none of them when one is full. Raises TooMany."""
    buckets = [_Bucket.at(realm, limit) for limit in limits]
    try:
        wait = _try_in_redis(buckets)
    except RedisAway:
        wait = _own.attempt(buckets)
    if wait:
        raise TooMany(retry_at=times.now() + timedelta(seconds=wait))
    return lambda: _give_back(buckets)


def _count(realm: Realm, limits: Sequence[Limit]) -> Callable[[], None]:
    try:
        return keep_within(realm, limits)
    except TooMany:
        count_login(realm.kind, "throttled")
        raise


def _give_back(buckets: Sequence[_Bucket]) -> None:
    _own.give_back(buckets)
    try:
        with runtime().redis.client() as client:
            for bucket in buckets:
                client.decr(bucket.key)
                client.expire(bucket.key, 2 * bucket.limit.seconds)
    except RedisAway:
        return


def _try_in_redis(buckets: Sequence[_Bucket]) -> int:
    keys = [key for bucket in buckets for key in (bucket.key, bucket.key_before)]
    arguments = [
        value
        for bucket in buckets
        for value in (bucket.limit.tries, bucket.share, bucket.wait, 2 * bucket.limit.seconds)
    ]
    with runtime().redis.client() as client:
        return int(cast(Any, client).register_script(_TRY)(keys=keys, args=arguments))


@dataclass(frozen=True, slots=True)
class _Bucket:
    limit: Limit
    key: str
    key_before: str
    share: float
    wait: int

    @classmethod
    def at(cls, realm: Realm, limit: Limit) -> _Bucket:
        moment = time.time()
        number, into = divmod(moment, limit.seconds)
        left = limit.seconds - into
        keys = [realm.key("tries", limit.subject, str(int(number) - back)) for back in (0, 1)]
        return cls(limit, keys[0], keys[1], round(left / limit.seconds, 4), max(1, min(int(left) + 1, 300)))


class _OwnCounters:
    """The same counting for one process, bounded in number."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._lock = threading.Lock()

    def attempt(self, buckets: Sequence[_Bucket]) -> int:
        with self._lock:
            if len(self._counts) > _MOST_COUNTERS:
                self._counts.clear()
            wait = max((bucket.wait for bucket in buckets if self._is_full(bucket)), default=0)
            if not wait:
                for bucket in buckets:
                    self._counts[bucket.key] = self._counts.get(bucket.key, 0) + 1
            return wait

    def give_back(self, buckets: Sequence[_Bucket]) -> None:
        with self._lock:
            for bucket in buckets:
                if self._counts.get(bucket.key):
                    self._counts[bucket.key] -= 1

    def _is_full(self, bucket: _Bucket) -> bool:
        before = int(self._counts.get(bucket.key_before, 0) * bucket.share)
        return self._counts.get(bucket.key, 0) + before >= bucket.limit.tries


_own = _OwnCounters()


def _unit() -> str:
    # Redis is no place for addresses, whether of people or of machines.
    return mark(unit(client_address(request.environ, runtime().settings.trusted_proxies)))


def _mark(realm: Realm, name: str) -> str:
    # Nor for e-mail addresses.
    return realm.mac("throttle", name.encode("utf-8", "replace")).hex()[:24]
