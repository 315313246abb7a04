"""Checking an address and deciding about it; a decision by staff. Always with a reason, in the platform's audit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Literal
from uuid import UUID

from sqlalchemy import Select, cast, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import CIDR, insert

from qikbiz.abuse import limiter
from qikbiz.abuse.models import AbuseEvent, AddressRule, AddressScore
from qikbiz.abuse.scoring import Judgement, Observed, judge
from qikbiz.abuse.signals import LOOK_BACK_SECONDS
from qikbiz.abuse.units import WIDER_FACTOR, Network, wider_units
from qikbiz.actors import current_actor
from qikbiz.audit.actions import record_on_platform
from qikbiz.database import after_commit, db
from qikbiz.failures import Conflict, Failure, NotFound

Action = Literal["allow", "slow", "block"]
KEEP_EVENTS = timedelta(days=30)
# Wider than this, a mistake would shut out a whole provider.
WIDEST = {4: 16, 6: 32}


def check_address(unit_text: str, *, now: datetime | None = None) -> Judgement:
    """Score one unit and the networks round it, decide, and record why. Runs in the worker."""
    moment = now or datetime.now(UTC)
    unit = ip_network(unit_text)
    for wider in wider_units(unit):
        _judge_and_decide(wider, moment, WIDER_FACTOR[wider.prefixlen])
    return _judge_and_decide(unit, moment, 1)


def decide(unit_text: str, action: Action, reason: str, *, minutes: int | None = None) -> AddressRule:
    """A rule made by staff. A block needs an end; every rule needs a reason."""
    unit = network_named(unit_text)
    if not reason.strip():
        raise Failure("Say why: the reason is shown to whoever asks about this address.")
    if action == "block" and not minutes:
        raise Failure("A block needs an end: say for how many minutes.")
    end = datetime.now(UTC) + timedelta(minutes=minutes) if minutes else None
    _lift_standing(unit)
    return _make_rule(unit, action, reason.strip(), source="staff", end=end, evidence={})


def lift(rule_id: UUID, reason: str) -> AddressRule:
    """End a rule before its time."""
    rule = db.control.get(AddressRule, rule_id)
    if rule is None:
        raise NotFound
    if rule.lifted_at is not None:
        raise Conflict("This rule was already lifted.")
    rule.lifted_at = datetime.now(UTC)
    unit = ip_network(rule.unit)
    record_on_platform("address.lifted", subject=str(unit), details={"rule": str(rule.id), "reason": reason})
    after_commit(db.control(), lambda: _forget(unit))
    return rule


def enforce_standing_rules() -> int:
    """Tell Redis every rule in force again: after it was wiped or away. Returns how many."""
    rules = db.control.scalars(_standing()).all()
    for rule in rules:
        limiter.enforce(ip_network(rule.unit), _as_action(rule.action), _reference(rule), rule.expires_at)
    return len(rules)


def forget_old_events(*, now: datetime | None = None) -> int:
    """Retention: events older than 30 days go. Returns how many."""
    before = (now or datetime.now(UTC)) - KEEP_EVENTS
    gone = db.control.execute(delete(AbuseEvent).where(AbuseEvent.at < before))
    return int(getattr(gone, "rowcount", 0))


def _judge_and_decide(unit: Network, now: datetime, factor: int) -> Judgement:
    score = db.control.get(AddressScore, str(unit), with_for_update=True)
    judgement = judge(_events_of(unit, now), now, earlier_blocks=score.blocks if score else 0, factor=factor)
    if judgement.verdict == "none" and score is None:
        return judgement
    standing = db.control.scalars(_standing(unit)).first()
    changes = judgement.lasts is not None and not _is_covered(standing, judgement)
    _keep_score(unit, judgement, now, blocked=changes and judgement.verdict == "block")
    if changes and judgement.lasts is not None:
        if standing is not None:
            standing.lifted_at = now
        action: Action = "block" if judgement.verdict == "block" else "slow"
        _make_rule(
            unit, action, judgement.reason, source="check", end=now + judgement.lasts, evidence=dict(judgement.evidence)
        )
    elif judgement.verdict == "watch" and (score is None or score.verdict != "watch"):
        record_on_platform("address.watched", subject=str(unit), details={"reason": judgement.reason})
    return judgement


def _is_covered(standing: AddressRule | None, judgement: Judgement) -> bool:
    # Staff's word stands; a check's own rule is replaced only by a stronger one.
    if standing is None:
        return False
    return standing.source == "staff" or standing.action in ("block", judgement.verdict)


def _events_of(unit: Network, now: datetime) -> list[Observed]:
    since = now - timedelta(seconds=LOOK_BACK_SECONDS)
    inside = AbuseEvent.unit.op("<<=")(cast(literal(str(unit)), CIDR))
    statement = select(AbuseEvent.kind, AbuseEvent.at, AbuseEvent.account_mac).where(inside, AbuseEvent.at > since)
    rows = db.control.execute(statement.order_by(AbuseEvent.at.desc()).limit(5_000)).all()
    return [Observed(row.kind, row.at, row.account_mac) for row in rows]


def _keep_score(unit: Network, judgement: Judgement, now: datetime, *, blocked: bool) -> None:
    values = {
        "unit": str(unit),
        "score": judgement.score,
        "verdict": judgement.verdict,
        "evidence": dict(judgement.evidence),
        "checked_at": now,
        "blocks": int(blocked),
    }
    statement = insert(AddressScore).values(values)
    changed = {name: statement.excluded[name] for name in ("score", "verdict", "evidence", "checked_at")}
    counted = {"blocks": AddressScore.blocks + statement.excluded.blocks}
    db.control.execute(statement.on_conflict_do_update(index_elements=["unit"], set_={**changed, **counted}))


def _make_rule(
    unit: Network, action: Action, reason: str, *, source: str, end: datetime | None, evidence: dict[str, int]
) -> AddressRule:
    rule = AddressRule(
        unit=str(unit), action=action, reason=reason, source=source, evidence=evidence, expires_at=end,
        created_by=current_actor().id,
    )  # fmt: skip
    db.control.add(rule)
    db.control.flush()
    ended = {"slow": "slowed", "block": "blocked", "allow": "allowed"}[action]
    details = {"reason": reason, "until": end.isoformat() if end else None, "source": source, "evidence": evidence}
    record_on_platform(f"address.{ended}", subject=str(unit), details=details)
    reference = _reference(rule)
    after_commit(db.control(), lambda: _enforce(unit, action, reference, end))
    return rule


def _lift_standing(unit: Network) -> None:
    statement = update(AddressRule).where(AddressRule.unit == str(unit), AddressRule.lifted_at.is_(None))
    db.control.execute(statement.values(lifted_at=func.now()))


def _standing(unit: Network | None = None) -> Select[AddressRule]:
    statement = select(AddressRule).where(
        AddressRule.lifted_at.is_(None), (AddressRule.expires_at.is_(None)) | (AddressRule.expires_at > func.now())
    )
    return statement.where(AddressRule.unit == str(unit)) if unit is not None else statement


def network_named(text: str) -> Network:
    """The network that somebody typed. Raises Failure when it is none, or wider than one person may decide about."""
    try:
        unit = ip_network(text.strip(), strict=False)
    except ValueError as error:
        raise Failure(
            f"“{text.strip()[:60]}” is not an address or network such as 203.0.113.7 or 2001:db8::/64."
        ) from error
    if unit.prefixlen < WIDEST[unit.version]:
        raise Failure(
            f"That network is too wide: nothing wider than /{WIDEST[unit.version]} can be decided about here."
        )
    return unit


def _reference(rule: AddressRule) -> str:
    return rule.id.hex[-8:]


def _as_action(text: str) -> Action:
    return "block" if text == "block" else "slow" if text == "slow" else "allow"


def _enforce(unit: Network, action: Action, reference: str, end: datetime | None) -> None:
    limiter.enforce(unit, action, reference, end)


def _forget(unit: Network) -> None:
    limiter.forget(unit)
