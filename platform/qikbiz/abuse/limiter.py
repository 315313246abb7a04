"""The inline answer, from Redis alone and at once. When Redis is away nobody is slowed or locked out."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, cast
from uuid import UUID

from qikbiz.abuse.marks import mark, marks
from qikbiz.abuse.signals import BLOCK_AT
from qikbiz.abuse.units import WIDER_FACTOR, Address, Network, lookup_order, reference_of, unit_of
from qikbiz.database import runtime
from tenants.control import new_id
from tenants.redis import RedisAway

Verdict = Literal["allow", "slow", "block"]
WINDOW_SECONDS = 600
INLINE_BLOCK_SECONDS = 120
RECORDED_PER_WINDOW = 200

# Two fixed buckets, weighted by how far the newer one has run: no double allowance at the border of a window.
_COUNT = """
local previous = tonumber(redis.call('GET', KEYS[2]) or '0')
local current = redis.call('INCRBY', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return math.floor(previous * tonumber(ARGV[2]) / 1000) + current
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What to do with a request now, and until when."""

    verdict: Verdict
    reference: str = ""
    until: datetime | None = None


def count(address: Address | str, points: int, *, counter: str = "points") -> int | None:
    """Add `points` to the address's unit and return its sum over the last ten minutes; None while Redis is away.

    A unit that passes the block's limit is blocked for two minutes here and now; the worker decides what follows.
    """
    unit = unit_of(address)
    try:
        return _count(unit, points, counter)
    except RedisAway:
        return None


def answer(address: Address | str, tenant_id: UUID | None = None) -> Answer:
    """The rule in force for an address: the longest prefix wins, and on a tie an allow.

    A tenant's own rules count beside those for everybody, at this tenant only.
    """
    units = lookup_order(address)
    keys = [rule_key(unit, scope, found) for unit in units for found in marks(unit) for scope in _scopes(tenant_id)]
    try:
        with runtime().redis.client() as client:
            *found, alarm = cast(list[str | None], client.mget([*keys, _alarm_key()]))
    except RedisAway:
        return Answer("allow")
    each = len(keys) // len(units)
    for start in range(0, len(keys), each):
        rules = [json.loads(text) for text in found[start : start + each] if text is not None]
        if rules:
            return _answer(min(rules, key=lambda rule: rule["action"] != "allow"))
    return Answer("slow" if alarm else "allow")


def _answer(rule: dict[str, Any]) -> Answer:
    until = datetime.fromtimestamp(rule["until"], UTC) if rule["until"] else None
    return Answer(rule["action"], rule["reference"], until)


def _scopes(tenant_id: UUID | None) -> tuple[UUID | None, ...]:
    return (tenant_id, None) if tenant_id else (None,)


def rule_key(unit: Network, tenant_id: UUID | None = None, found: str = "") -> str:
    """Where the rule about a unit stands, for everybody or for one tenant; `found` is the unit's mark, if known."""
    redis, name = runtime().redis, found or mark(unit)
    return redis.tenant_key(tenant_id, "rule", name) if tenant_id else redis.platform_key("rule", name)


def enforce(
    unit: Network, action: Verdict, reference: str, until: datetime | None, *, tenant_id: UUID | None = None
) -> bool:
    """Let a rule act on the next request; False while Redis is away (the sweeper's round then does it)."""
    end = int(until.timestamp()) if until else None
    text = json.dumps({"action": action, "reference": reference, "until": end})
    try:
        with runtime().redis.client() as client:
            client.set(rule_key(unit, tenant_id), text, exat=end)
    except RedisAway:
        return False
    return True


def forget(unit: Network, *, tenant_id: UUID | None = None) -> bool:
    """Let no rule act on a unit any more, and start its counters afresh."""
    bucket = int(time.time()) // WINDOW_SECONDS
    keys = [rule_key(unit, tenant_id, found) for found in marks(unit)]
    if tenant_id is None:
        keys += [_bucket_key(unit, "points", number) for number in (bucket, bucket - 1)]
    try:
        with runtime().redis.client() as client:
            client.delete(*keys)
    except RedisAway:
        return False
    return True


def own_block(unit: Network) -> UUID | None:
    """The id that a block made here and now has for the rule which the worker makes of it: one reference for both."""
    try:
        with runtime().redis.client() as client:
            found = cast(list[str | None], client.mget([rule_key(unit, None, found) for found in marks(unit)]))
    except RedisAway:
        return None
    ids = [json.loads(text).get("id") for text in found if text is not None]
    return UUID(ids[0]) if ids and ids[0] else None


def raise_alarm(lasts: timedelta) -> None:
    """Have every stranger's login wait a moment."""
    with suppress(RedisAway), runtime().redis.client() as client:
        client.set(_alarm_key(), "1", ex=lasts)


def is_alarmed() -> bool:
    try:
        with runtime().redis.client() as client:
            return bool(client.exists(_alarm_key()))
    except RedisAway:
        return False


def is_worth_recording(address: Address | str) -> bool:
    """Whether another row about this unit adds evidence: a flood must not fill the database."""
    recorded = count(address, 1, counter="rows")
    return recorded is None or recorded <= RECORDED_PER_WINDOW


def _count(unit: Network, points: int, counter: str) -> int:
    now = time.time()
    bucket, into = int(now) // WINDOW_SECONDS, now % WINDOW_SECONDS
    keys = [_bucket_key(unit, counter, number) for number in (bucket, bucket - 1)]
    share = int(1000 * (1 - into / WINDOW_SECONDS))
    with runtime().redis.client() as client:
        script = cast(Any, client).register_script(_COUNT)
        total = int(script(keys=keys, args=[points, share, 2 * WINDOW_SECONDS]))
        limit = BLOCK_AT * WIDER_FACTOR.get(unit.prefixlen, 1)
        if counter == "points" and total >= limit:
            until = int(now) + INLINE_BLOCK_SECONDS
            rule_id = new_id()
            rule = json.dumps(
                {"action": "block", "reference": reference_of(rule_id), "until": until, "id": str(rule_id)}
            )
            # NX: a decision that already stands, above all an allow, is not overruled.
            client.set(rule_key(unit), rule, exat=until, nx=True)
    return total


def _bucket_key(unit: Network, counter: str, number: int) -> str:
    return runtime().redis.platform_key("abuse", counter, mark(unit), str(number))


def _alarm_key() -> str:
    return runtime().redis.platform_key("alarm")
