"""Rules about addresses: made by the check, by staff, or by a tenant for itself. Always with a reason and an end.

The platform's audit names each by its reference. It is kept for ever, and an address may not be (promise P5).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Literal
from uuid import UUID

from sqlalchemy import Select, func, select, update

from qikbiz.audit.actions import record_on_platform
from qikbiz.kernel import clock
from qikbiz.kernel.actors import current_actor
from qikbiz.kernel.database import after_commit, db
from qikbiz.kernel.errors import Conflict, Failure, NotFound
from qikbiz.kernel.networks import Address, Network, unit_of
from qikbiz.security.ip_reputation import limiter
from qikbiz.security.ip_reputation.models import AddressRule, AddressScore
from qikbiz.security.ip_reputation.networks import WIDEST, lookup_order
from qikbiz.security.ip_reputation.pseudonyms import without_addresses
from tenants.control import new_id

Action = Literal["allow", "slow", "block"]
ACTIONS: tuple[Action, ...] = ("allow", "slow", "block")
# As long as an address may be kept: for longer, it is decided again.
LONGEST = timedelta(days=30)
ALLOWED_BY_TENANT = timedelta(hours=24)
_WORDS = {"slow": "slowed", "block": "blocked", "allow": "allowed"}


def decide(unit_text: str, action: Action, reason: str, *, minutes: int | None = None) -> AddressRule:
    """A rule made by staff. It needs a reason and an end."""
    unit = network_named(unit_text)
    if not reason.strip():
        raise Failure("Enter a reason. It is recorded, and shared with people who ask about this address.")
    if not minutes or not 0 < minutes <= LONGEST // timedelta(minutes=1):
        raise Failure(f"A rule needs a duration of at most {LONGEST.days} days.")
    revoke_standing(unit)
    return make_rule(unit, action, reason.strip(), source="staff", end=clock.now() + timedelta(minutes=minutes))


def allow_at_tenant(unit: Network, tenant_id: UUID, reason: str) -> AddressRule:
    """Let an address in at one tenant for a day, whatever is decided about it for everybody."""
    revoke_standing(unit, tenant_id)
    end = clock.now() + ALLOWED_BY_TENANT
    return make_rule(unit, "allow", reason, source="tenant", end=end, tenant_id=tenant_id)


def revoke(rule_id: UUID, reason: str, *, tenant_id: UUID | None = None) -> AddressRule:
    """End a rule before its time. A tenant ends its own only."""
    rule = db.control.get(AddressRule, rule_id, with_for_update=True)
    if rule is None or (tenant_id and rule.tenant_id != tenant_id):
        raise NotFound
    if rule.lifted_at is not None:
        raise Conflict("This rule was already removed.")
    if not reason.strip():
        raise Failure("Enter a reason. It is recorded in the audit.")
    rule.lifted_at = clock.now()
    unit, scope = ip_network(rule.unit), rule.tenant_id
    if scope is None:
        _pardon(rule)
    _audit("address.lifted", rule, without_addresses(reason.strip()))
    after_commit(db.control(), lambda: _reset(unit, scope))
    return rule


def _pardon(rule: AddressRule) -> None:
    """What led to a rule that people lifted neither blocks again nor makes the next block longer."""
    rule.pardoned_at = rule.lifted_at
    values = {"score": 0, "verdict": "none", "blocks": func.greatest(AddressScore.blocks - 1, 0)}
    db.control.execute(update(AddressScore).where(AddressScore.unit == rule.unit).values(values))


def make_rule(
    unit: Network,
    action: Action,
    reason: str,
    *,
    source: str,
    end: datetime,
    evidence: dict[str, int] | None = None,
    tenant_id: UUID | None = None,
    rule_id: UUID | None = None,
) -> AddressRule:
    rule = AddressRule(
        id=rule_id or new_id(), unit=str(unit), action=action, reason=reason, source=source, evidence=evidence or {},
        expires_at=end, created_by=current_actor().id, created_at=clock.now(), tenant_id=tenant_id,
    )  # fmt: skip
    db.control.add(rule)
    db.control.flush()
    _audit(f"address.{_WORDS[action]}", rule, without_addresses(reason), **(evidence or {}))
    after_commit(db.control(), lambda: _enforce(rule))
    return rule


def revoke_standing(unit: Network, tenant_id: UUID | None = None) -> None:
    lifted = update(AddressRule).where(AddressRule.unit == str(unit), AddressRule.lifted_at.is_(None))
    db.control.execute(
        lifted.where(AddressRule.tenant_id.is_not_distinct_from(tenant_id)).values(lifted_at=clock.now())
    )


def standing() -> Select[AddressRule]:
    """Rules in force, of tenants too."""
    return select(AddressRule).where(AddressRule.lifted_at.is_(None), AddressRule.expires_at > clock.now())


def standing_about(unit: Network) -> AddressRule | None:
    """What is in force for everybody about exactly this network."""
    wanted = standing().where(AddressRule.unit == str(unit), AddressRule.tenant_id.is_(None))
    return db.control.scalars(wanted).first()


def block_on(address: Address) -> AddressRule | None:
    """The block for everybody that an address is under, by the longest prefix."""
    names = [str(unit) for unit in lookup_order(address)]
    wanted = standing().where(AddressRule.unit.in_(names), AddressRule.action == "block")
    wanted = wanted.where(AddressRule.tenant_id.is_(None)).order_by(func.masklen(AddressRule.unit).desc())
    return db.control.scalars(wanted.limit(1)).first()


def enforce_standing_rules() -> int:
    """Tell Redis every rule in force again: after it was wiped or away. Returns how many."""
    found = db.control.scalars(standing()).all()
    for rule in found:
        _enforce(rule)
    return len(found)


def network_named(text: str) -> Network:
    """The network that a user typed. Raises Failure when it is none, or wider than one person may decide about."""
    try:
        unit = ip_network(text.strip(), strict=False)
    except ValueError as error:
        raise Failure(
            f"“{text.strip()[:60]}” is not an address or network such as 203.0.113.7 or 2001:db8::/64."
        ) from error
    if unit.prefixlen < WIDEST[unit.version]:
        raise Failure(f"This network is too large. The largest allowed network is /{WIDEST[unit.version]}.")
    # One customer of a provider has a whole /64: a single address of it is no more than the next one.
    return unit_of(unit.network_address) if unit.prefixlen > unit_of(unit.network_address).prefixlen else unit


def _audit(act: str, rule: AddressRule, reason: str, **evidence: int) -> None:
    details = {"reason": reason, "until": rule.expires_at.isoformat(), "source": rule.source, "evidence": evidence}
    record_on_platform(act, subject=rule.reference, tenant_id=rule.tenant_id, details=details)


def _enforce(rule: AddressRule) -> None:
    action: Action = "block" if rule.action == "block" else "slow" if rule.action == "slow" else "allow"
    limiter.enforce(ip_network(rule.unit), action, rule.reference, rule.expires_at, tenant_id=rule.tenant_id)


def _reset(unit: Network, tenant_id: UUID | None) -> None:
    limiter.reset(unit, tenant_id=tenant_id)
