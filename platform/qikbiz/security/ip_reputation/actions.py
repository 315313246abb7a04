"""Checking an address: score it and the networks round it, decide, and keep why. Runs in the worker."""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import ip_network
from uuid import UUID

from sqlalchemy import cast, exists, literal, select
from sqlalchemy.dialects.postgresql import CIDR, insert

from qikbiz.audit.actions import record_on_platform
from qikbiz.kernel import clock
from qikbiz.kernel.database import db
from qikbiz.kernel.networks import Network, wider_units
from qikbiz.security.ip_reputation import limiter
from qikbiz.security.ip_reputation.models import AbuseEvent, AddressRule, AddressScore
from qikbiz.security.ip_reputation.networks import WIDER_FACTOR
from qikbiz.security.ip_reputation.rules import Action, make_rule, standing_about
from qikbiz.security.ip_reputation.scoring import Judgement, Observed, evaluate
from qikbiz.security.ip_reputation.signals import LOOK_BACK_SECONDS
from qikbiz.security.ip_reputation.spray_detection import raise_alarm_if_sprayed


def check_event(event_id: UUID) -> Judgement | None:
    """Check where an event came from; None when it is forgotten already."""
    event = db.control.get(AbuseEvent, event_id)
    raise_alarm_if_sprayed(clock.now())
    return check_address(event.unit) if event is not None else None


def check_address(unit_text: str, *, now: datetime | None = None) -> Judgement:
    """Score one unit and the networks round it."""
    moment = now or clock.now()
    unit = ip_network(unit_text)
    for wider in wider_units(unit):
        _evaluate_and_decide(wider, moment, WIDER_FACTOR[wider.prefixlen])
    return _evaluate_and_decide(unit, moment, 1)


def _evaluate_and_decide(unit: Network, now: datetime, factor: int) -> Judgement:
    score = db.control.get(AddressScore, str(unit), with_for_update=True)
    judgement = evaluate(_events_of(unit, now), now, earlier_blocks=score.blocks if score else 0, factor=factor)
    if judgement.verdict == "none" and score is None:
        return judgement
    there = standing_about(unit)
    changes = judgement.lasts is not None and not _is_covered(there, judgement)
    _keep_score(unit, judgement, now, blocked=changes and judgement.verdict == "block")
    if changes and judgement.lasts is not None:
        if there is not None:
            there.lifted_at = now
        action: Action = "block" if judgement.verdict == "block" else "slow"
        end = now + judgement.lasts
        # A visitor who was blocked on the way has a reference already, and may have asked about it.
        known = limiter.own_block(unit) if action == "block" else None
        evidence = dict(judgement.evidence)
        make_rule(unit, action, judgement.reason, source="check", end=end, evidence=evidence, rule_id=known)
    elif judgement.verdict == "watch" and (score is None or score.verdict != "watch"):
        record_on_platform("address.watched", details={"reason": judgement.reason})
    return judgement


def _is_covered(there: AddressRule | None, judgement: Judgement) -> bool:
    # Staff's word stands; a check's own rule is replaced only by a stronger one.
    if there is None:
        return False
    return there.source == "staff" or there.action in ("block", judgement.verdict)


def _events_of(unit: Network, now: datetime) -> list[Observed]:
    since = now - timedelta(seconds=LOOK_BACK_SECONDS)
    inside = AbuseEvent.unit.bool_op("<<=")(cast(literal(str(unit)), CIDR))
    its_rule = AbuseEvent.unit.bool_op("<<=")(AddressRule.unit)
    pardoned = exists().where(its_rule, AddressRule.tenant_id.is_(None), AddressRule.pardoned_at >= AbuseEvent.at)
    counts = (inside, AbuseEvent.at > since, ~pardoned)
    statement = select(AbuseEvent.kind, AbuseEvent.at, AbuseEvent.account_mac).where(*counts)
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
