"""The points of a unit over the last ten minutes: asked about, added and acted on in one step, however many at once.

While Redis is away, or rests after a time-out under load, this process goes on counting for itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from qikbiz.kernel import clock
from qikbiz.kernel.database import runtime
from qikbiz.kernel.errors import TooMany
from qikbiz.kernel.networks import Address, Network, unit_of
from qikbiz.security.ip_reputation.limiter import (
    WINDOW_SECONDS,
    answer,
    bucket_key,
    local_counters,
    rule_key,
    sealed_rule,
)
from qikbiz.security.ip_reputation.networks import WIDER_FACTOR, reference_of
from qikbiz.security.ip_reputation.signals import BLOCK_AT
from tenants.control import new_id
from tenants.redis import RedisAway

INLINE_BLOCK_SECONDS = 120
# Apart from each other: noise from a user's browser must not leave guesses unrecorded.
RECORDED_PER_WINDOW = {"rows": 200, "noise-rows": 50}
_RETRY_SECONDS = 5

# Two fixed buckets, weighted by how far the newer one has run: no double allowance at the border of a window. A try
# is refused when the limit is reached already; whatever reaches it makes the block in the same step. NX: a decision
# that already stands, above all an allow, is not overruled.
_COUNT = """
local before = math.floor(tonumber(redis.call('GET', KEYS[2]) or '0') * tonumber(ARGV[2]) / 1000)
local limit = tonumber(ARGV[4])
if ARGV[5] == 'try' and before + tonumber(redis.call('GET', KEYS[1]) or '0') >= limit then return -1 end
local total = redis.call('INCRBY', KEYS[1], ARGV[1]) + before
redis.call('EXPIRE', KEYS[1], ARGV[3])
if ARGV[5] == 'block' and total >= limit then redis.call('SET', KEYS[3], ARGV[6], 'EXAT', ARGV[7], 'NX') end
return total
"""


@dataclass(frozen=True, slots=True)
class _Bucket:
    """Where a unit is counted now: its key, that of the window before, and how much of that one still counts."""

    key: str
    key_before: str
    share: int

    @classmethod
    def at(cls, unit: Network, counter: str) -> _Bucket:
        now = time.time()
        number, into = int(now) // WINDOW_SECONDS, now % WINDOW_SECONDS
        keys = [bucket_key(unit, counter, number - back) for back in (0, 1)]
        return cls(keys[0], keys[1], int(1000 * (1 - into / WINDOW_SECONDS)))

    @property
    def own_before(self) -> int:
        return local_counters.sum_of(self.key_before) * self.share // 1000


def count(address: Address | str, points: int, *, counter: str = "points") -> int:
    """Add `points` to the address's unit and return its sum over the last ten minutes.

    A unit that passes the block's limit is blocked for two minutes here and now; the worker decides what follows.
    """
    unit = unit_of(address)
    bucket = _Bucket.at(unit, counter)
    total = _counted(unit, bucket, points, "block" if counter == "points" else "")
    return total if total is not None else 0


def begin_try(address: Address | str, points: int, tenant_id: UUID | None = None) -> Callable[[], None]:
    """Count a guess before it is looked at, so that no number of guesses at once passes the limit.

    Call what it returns when the guess was right: the points are given back. Raises TooMany.
    """
    unit = unit_of(address)
    if answer(address, tenant_id).is_standing_allow:
        return lambda: None
    bucket = _Bucket.at(unit, "points")
    if _counted(unit, bucket, points, "try") is None:
        raise TooMany(retry_at=clock.now() + timedelta(seconds=_RETRY_SECONDS))
    return lambda: _give_back(bucket, points)


def is_worth_recording(address: Address | str, *, counter: str = "rows") -> bool:
    """Whether another row about this unit adds evidence: a flood must not fill the database."""
    return count(address, 1, counter=counter) <= RECORDED_PER_WINDOW[counter]


def _counted(unit: Network, bucket: _Bucket, points: int, how: str) -> int | None:
    """The sum after adding; None when it was a try and the limit was reached before it."""
    limit = BLOCK_AT * WIDER_FACTOR.get(unit.prefixlen, 1)
    try:
        total = _in_redis(unit, bucket, points, how, limit)
    except RedisAway:
        return local_counters.add(bucket.key, points, before=bucket.own_before, most=limit if how == "try" else None)
    if total < 0:
        return None
    local_counters.learn({bucket.key: total})
    return total


def _in_redis(unit: Network, bucket: _Bucket, points: int, how: str, limit: int) -> int:
    until, rule_id = int(time.time()) + INLINE_BLOCK_SECONDS, new_id()
    rule = {"action": "block", "reference": reference_of(rule_id), "until": until, "id": str(rule_id)}
    keys = [bucket.key, bucket.key_before, rule_key(unit)]
    sealed = sealed_rule(keys[2], rule) if how == "block" else ""
    arguments = [points, bucket.share, 2 * WINDOW_SECONDS, limit, how, sealed, until]
    with runtime().redis.client() as client:
        return int(cast(Any, client).register_script(_COUNT)(keys=keys, args=arguments))


def _give_back(bucket: _Bucket, points: int) -> None:
    local_counters.add(bucket.key, -points)
    try:
        with runtime().redis.client() as client:
            client.decrby(bucket.key, points)
            client.expire(bucket.key, 2 * WINDOW_SECONDS)
    except RedisAway:
        return
