"""Blocks that hit a tenant's own people, and letting an address in at this tenant for a day (promise P5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network
from uuid import UUID

from sqlalchemy import Select, func, select

from qikbiz.audit.actions import record
from qikbiz.kernel.database import control_transaction, db
from qikbiz.kernel.errors import Conflict, Failure
from qikbiz.kernel.networks import normalise, shown, unit_of
from qikbiz.security.access_log.kinds import AccessKind
from qikbiz.security.access_log.models import AccessEvent
from qikbiz.security.access_log.recorder import record_access
from qikbiz.security.ip_reputation import rules
from qikbiz.security.ip_reputation.models import AddressRule
from qikbiz.security.ip_reputation.networks import lookup_order
from qikbiz.security.ip_reputation.pseudonyms import without_addresses
from tenants.context import current_tenant

# The newest addresses of a tenant's log; a block that hits people was noticed lately.
MOST_ADDRESSES = 2_000
LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that keeps this tenant's people out: which of its addresses, and who was there in the last 30 days."""

    address: str
    action: str
    reference: str
    until: datetime
    people: tuple[str, ...]
    tries: int


@dataclass(frozen=True, slots=True)
class Allowance:
    id: UUID
    address: str
    reason: str
    until: datetime


def hits() -> list[Hit]:
    """Rules in force over addresses that this tenant's log knows, and that it has not let in itself."""
    seen = _addresses_seen()
    with control_transaction() as control:
        there = control.scalars(_rules_for_everybody()).all()
        own = {str(rule.unit) for rule in control.scalars(_own_rules())}
    found = []
    for address, (people, tries) in seen.items():
        rule = _narrowest(there, address)
        if rule is not None and str(unit_of(address)) not in own:
            names = tuple(sorted(people))
            found.append(Hit(address, rule.action, rule.reference, rule.expires_at, names, tries))
    return sorted(found, key=lambda hit: (-len(hit.people), -hit.tries))


def allowances() -> list[Allowance]:
    """What this tenant lets in now."""
    with control_transaction() as control:
        own = control.scalars(_own_rules().order_by(AddressRule.created_at.desc())).all()
    return [Allowance(rule.id, shown(ip_network(rule.unit)), rule.reason, rule.expires_at) for rule in own]


def allow(address: str, reason: str) -> AddressRule:
    """Let an address of the tenant's own sign in here for 24 hours. Raises Failure."""
    said = " ".join(reason.split())[:LONGEST_REASON]
    if not said:
        raise Failure("Enter a reason. It is recorded in the audit.")
    try:
        unit = unit_of(normalise(address.strip()))
    except ValueError:
        raise Failure(f"“{address.strip()[:60]}” is not an address such as 203.0.113.7.") from None
    if unit not in {unit_of(known) for known in _addresses_seen()}:
        raise Conflict("None of your users signed in from this address recently, so it can't be allowed.")
    with control_transaction():
        rule = rules.allow_at_tenant(unit, current_tenant().id, said)
    record("address.allowed", details={"reference": rule.reference, "reason": without_addresses(said)})
    record_access(AccessKind.ADDRESS_ALLOWED, detail=f"For 24 hours, reference {rule.reference}")
    return rule


def end(rule_id: UUID) -> None:
    """Stop letting an address in. Raises NotFound for what is not this tenant's."""
    with control_transaction():
        rule = rules.revoke(rule_id, "Ended by the organisation", tenant_id=current_tenant().id)
    record("address.allowance_ended", details={"reference": rule.reference})


def blocks_lately() -> int:
    """How many requests to this tenant were refused because of their address, as its log knows."""
    query = select(func.count()).where(AccessEvent.kind == AccessKind.BLOCKED.value)
    return int(db.session.scalar(query) or 0)


def _addresses_seen() -> dict[str, tuple[set[str], int]]:
    """{address: (people who came in from there, how often it was refused)}, of the addresses still kept."""
    event = AccessEvent
    query = (
        select(event.address, event.kind, event.outcome, event.person_kind, event.person_name)
        .where(AccessEvent.address.is_not(None))
        .order_by(AccessEvent.id.desc())
        .limit(MOST_ADDRESSES)
    )
    people: dict[str, set[str]] = defaultdict(set)
    tries: dict[str, int] = defaultdict(int)
    for row in db.session.execute(query):
        address = str(row.address)
        if row.outcome == "done" and row.person_kind == "user":
            people[address].add(row.person_name)
        if row.kind == AccessKind.BLOCKED.value:
            tries[address] += 1
    return {address: (people[address], tries[address]) for address in {*people, *tries}}


def _rules_for_everybody() -> Select[AddressRule]:
    # Some dozens are in force at a time; a tenant's addresses and the networks round them are thousands.
    return rules.standing().where(AddressRule.tenant_id.is_(None), AddressRule.action.in_(("block", "slow")))


def _own_rules() -> Select[AddressRule]:
    return rules.standing().where(AddressRule.tenant_id == current_tenant().id)


def _narrowest(there: Sequence[AddressRule], address: str) -> AddressRule | None:
    around = {str(unit) for unit in lookup_order(address)}
    over = [rule for rule in there if str(rule.unit) in around]
    return max(over, key=lambda rule: ip_network(rule.unit).prefixlen, default=None)
