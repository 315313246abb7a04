"""The inline answer, from Redis alone and at once. When Redis is away nobody is slowed or locked out."""

from __future__ import annotations

import json
import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, cast
from uuid import UUID

from config.keys import SealBroken
from qikbiz.kernel.database import runtime
from qikbiz.kernel.networks import Address, Network
from qikbiz.security.ip_reputation.networks import lookup_order
from qikbiz.security.ip_reputation.pseudonyms import mark, marks
from qikbiz.security.rate_limits.local_counters import LocalCounters
from tenants.redis import RedisAway

Verdict = Literal["allow", "slow", "block"]
WINDOW_SECONDS = 600
_PURPOSE = "address-rule"
logger = logging.getLogger(__name__)
# Of the points, for while Redis is away.
local_counters = LocalCounters()


@dataclass(frozen=True, slots=True)
class Answer:
    """What to do with a request now, and until when."""

    verdict: Verdict
    reference: str = ""
    until: datetime | None = None

    @property
    def is_standing_allow(self) -> bool:
        """Whether people decided that this address comes in, whatever is counted about it."""
        return self.verdict == "allow" and bool(self.reference)


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
        held = zip(keys[start : start + each], found[start : start + each], strict=True)
        rules = [rule for key, text in held if (rule := opened_rule(key, text)) is not None]
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
    key = rule_key(unit, tenant_id)
    text = sealed_rule(key, {"action": action, "reference": reference, "until": end})
    try:
        with runtime().redis.client() as client:
            client.set(key, text, exat=end)
    except RedisAway:
        return False
    return True


def reset(unit: Network, *, tenant_id: UUID | None = None) -> bool:
    """Let no rule act on a unit any more, and start its counters afresh."""
    bucket = int(time.time()) // WINDOW_SECONDS
    keys = [rule_key(unit, tenant_id, found) for found in marks(unit)]
    if tenant_id is None:
        counted = [bucket_key(unit, "points", number) for number in (bucket, bucket - 1)]
        local_counters.delete(counted)
        keys += counted
    try:
        with runtime().redis.client() as client:
            client.delete(*keys)
    except RedisAway:
        return False
    return True


def bucket_key(unit: Network, counter: str, number: int) -> str:
    """Where a unit's points of one window are counted."""
    return runtime().redis.platform_key("abuse", counter, mark(unit), str(number))


def own_block(unit: Network) -> UUID | None:
    """The id that a block made here and now has for the rule which the worker makes of it: one reference for both."""
    keys = [rule_key(unit, None, found) for found in marks(unit)]
    try:
        with runtime().redis.client() as client:
            found = cast(list[str | None], client.mget(keys))
    except RedisAway:
        return None
    rules = [rule for key, text in zip(keys, found, strict=True) if (rule := opened_rule(key, text)) is not None]
    return UUID(rules[0]["id"]) if rules and rules[0].get("id") else None


def sealed_rule(key: str, rule: dict[str, Any]) -> str:
    """A rule as Redis holds it: sealed for its key, so that nobody who writes there lets an address in or out."""
    return runtime().settings.keys.seal(_PURPOSE, json.dumps(rule).encode(), bound_to=key)


def opened_rule(key: str, sealed: str | None) -> dict[str, Any] | None:
    """The rule; None where there is none, and for what was not sealed by us: the sweeper's round puts it right."""
    if sealed is None:
        return None
    try:
        rule: dict[str, Any] = json.loads(runtime().settings.keys.open(_PURPOSE, sealed, bound_to=key).plaintext)
    except SealBroken:
        logger.warning("address_rule_invalid")
        return None
    return rule


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


def _alarm_key() -> str:
    return runtime().redis.platform_key("alarm")
