"""At most so many tries in any so many seconds, for one subject or several at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol, cast

from qikbiz.kernel import clock
from qikbiz.kernel.database import runtime
from qikbiz.kernel.errors import TooMany
from qikbiz.security.rate_limits.local_counters import LocalCounters
from tenants.redis import RedisAway

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
if wait > 0 then return {wait} end
local counted = {0}
for i = 1, #KEYS / 2 do
  counted[i + 1] = redis.call('INCR', KEYS[2 * i - 1])
  redis.call('EXPIRE', KEYS[2 * i - 1], ARGV[4 * i])
end
return counted
"""
_local = LocalCounters()


class KeySpace(Protocol):
    """Whose counters: a tenant's or the platform's."""

    def key(self, *parts: str) -> str:
        """A key of Redis for `parts`."""
        ...


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `tries` in any `seconds` for one `subject`."""

    subject: str
    tries: int
    seconds: int


def keep_within(space: KeySpace, limits: Sequence[Limit]) -> Callable[[], None]:
    """Count one more against each limit, or none of them when one is full. Raises TooMany."""
    buckets = [_Bucket.at(space, limit) for limit in limits]
    try:
        wait = _try_in_redis(buckets)
    except RedisAway:
        wait = _try_here(buckets)
    if wait:
        raise TooMany(retry_at=clock.now() + timedelta(seconds=wait))
    return lambda: _give_back(buckets)


def try_within(space: KeySpace, *limits: Limit) -> Callable[[], None] | None:
    """As `keep_within`; None, with nothing counted, where it raises."""
    try:
        return keep_within(space, limits)
    except TooMany:
        return None


def _give_back(buckets: Sequence[_Bucket]) -> None:
    for bucket in buckets:
        _local.add(bucket.key, -1)
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
        wait, *counted = cast(Any, client).register_script(_TRY)(keys=keys, args=arguments)
    _local.learn({bucket.key: int(number) for bucket, number in zip(buckets, counted, strict=False)})
    return int(wait)


def _try_here(buckets: Sequence[_Bucket]) -> int:
    limits = {
        bucket.key: (bucket.limit.tries, int(_local.sum_of(bucket.key_before) * bucket.share)) for bucket in buckets
    }
    full = _local.add_to_all(limits)
    return max((bucket.wait for bucket in buckets if bucket.key in full), default=0)


@dataclass(frozen=True, slots=True)
class _Bucket:
    limit: Limit
    key: str
    key_before: str
    share: float
    wait: int

    @classmethod
    def at(cls, space: KeySpace, limit: Limit) -> _Bucket:
        moment = time.time()
        number, into = divmod(moment, limit.seconds)
        left = limit.seconds - into
        keys = [space.key("tries", limit.subject, str(int(number) - back)) for back in (0, 1)]
        return cls(limit, keys[0], keys[1], round(left / limit.seconds, 4), max(1, min(int(left) + 1, 300)))
