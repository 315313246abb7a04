"""The networks that address rules are about, and how much a wider one must misbehave to be treated as one source."""

from __future__ import annotations

from uuid import UUID

from qikbiz.kernel.networks import Address, Network, unit_of

# Wider than this, a mistake would shut out a whole provider; one person alone can't decide it.
WIDEST = {4: 16, 6: 32}
# One unit may misbehave alone; a whole neighbourhood must misbehave this many times as much to be treated as one.
WIDER_FACTOR = {24: 6, 56: 4, 48: 8}


def lookup_order(address: Address | str) -> list[Network]:
    """Every network whose rule applies to an address, longest prefix first, up to the widest that may have one."""
    unit = unit_of(address)
    return [unit, *(unit.supernet(new_prefix=n) for n in range(unit.prefixlen - 1, WIDEST[unit.version] - 1, -1))]


def reference_of(rule_id: UUID) -> str:
    """What the page of a block says, and audits, in place of the address."""
    return rule_id.hex[-8:]
