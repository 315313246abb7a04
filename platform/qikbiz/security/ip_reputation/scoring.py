"""From evidence to a score, and from a score to a verdict. Pure: no clock, no database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from qikbiz.security.ip_reputation.signals import (
    BLOCK_AT,
    BLOCK_MINUTES,
    HALF_LIFE_SECONDS,
    MANY_ACCOUNTS,
    NOISE,
    POINTS,
    SLOW_AT,
    SLOW_MINUTES,
    WATCH_AT,
    Signal,
)

Verdict = Literal["none", "watch", "slow", "block"]
_FAILURES = (Signal.LOGIN_FAILED, Signal.LOGIN_UNKNOWN)


@dataclass(frozen=True, slots=True)
class Observed:
    """One event as scoring sees it."""

    kind: str
    at: datetime
    account: str | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """`score` in points, `verdict`, how long it holds, and the counts that explain it."""

    score: int
    verdict: Verdict
    lasts: timedelta | None
    evidence: dict[str, int] = field(default_factory=dict)

    @property
    def reason(self) -> str:
        counts = ", ".join(f"{number} x {kind.replace('_', ' ')}" for kind, number in sorted(self.evidence.items()))
        return f"{self.score} points: {counts}" if counts else f"{self.score} points"


def evaluate(events: Iterable[Observed], now: datetime, *, earlier_blocks: int = 0, factor: int = 1) -> Judgement:
    """Weigh the events of one unit. `factor` raises every limit (for networks wider than one unit).

    Noise alone leads to watching at most: it counts for as many points as the guesses beside it.
    """
    counted = _without_forgiven(list(events))
    guesses = _points_of([event for event in counted if event.kind not in NOISE], now)
    noise = _points_of([event for event in counted if event.kind in NOISE], now)
    recent = {e.account for e in counted if e.account and e.kind in _FAILURES and now - e.at < timedelta(minutes=10)}
    guesses += next((extra for more_than, extra in MANY_ACCOUNTS if len(recent) > more_than * factor), 0) * factor
    evidence: dict[str, int] = dict(Counter(event.kind for event in counted))
    if recent:
        evidence["accounts_tried"] = len(recent)
    score = round(guesses + min(noise, guesses))
    verdict = _verdict(score, factor)
    if verdict == "none" and guesses + noise >= WATCH_AT * factor:
        score, verdict = min(round(guesses + noise), SLOW_AT * factor - 1), "watch"
    return Judgement(score, verdict, _duration(verdict, earlier_blocks), evidence)


def _points_of(events: list[Observed], now: datetime) -> float:
    return sum(POINTS.get(event.kind, 0) * _weight(event, now) for event in events)


def _without_forgiven(events: list[Observed]) -> list[Observed]:
    # A user who mistypes and then gets in is no attacker: that account's failures before it don't count.
    succeeded: dict[str, datetime] = {}
    for event in events:
        if event.kind == Signal.LOGIN_SUCCEEDED and event.account:
            succeeded[event.account] = max(event.at, succeeded.get(event.account, event.at))
    return [
        event
        for event in events
        if event.kind != Signal.LOGIN_SUCCEEDED
        and not (event.kind in _FAILURES and event.account in succeeded and event.at <= succeeded[event.account])
    ]


def _weight(event: Observed, now: datetime) -> float:
    age = max(0.0, (now - event.at).total_seconds())
    return float(0.5 ** (age / HALF_LIFE_SECONDS))


def _verdict(score: int, factor: int) -> Verdict:
    if score >= BLOCK_AT * factor:
        return "block"
    if score >= SLOW_AT * factor:
        return "slow"
    return "watch" if score >= WATCH_AT * factor else "none"


def _duration(verdict: Verdict, earlier_blocks: int) -> timedelta | None:
    if verdict == "block":
        return timedelta(minutes=BLOCK_MINUTES[min(earlier_blocks, len(BLOCK_MINUTES) - 1)])
    return timedelta(minutes=SLOW_MINUTES) if verdict == "slow" else None
