"""What counts as one source: an IPv4 address, or an IPv6 /64, and the wider networks round it.

Providers give a customer a whole /64 at least, often a /56 or /48: counting single IPv6 addresses would stop no one.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
_NAT64 = IPv6Network("64:ff9b::/96")
_WIDER = {4: (24,), 6: (56, 48)}


def normalise(address: Address | str) -> Address:
    """The address itself: IPv4 hidden in IPv6 comes out, zone ids go. Raises ValueError for anything else."""
    parsed = ip_address(str(address).partition("%")[0]) if isinstance(address, str) else address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return parsed.ipv4_mapped
        if parsed in _NAT64:
            return IPv4Address(int(parsed) & 0xFFFFFFFF)
        return IPv6Address(int(parsed))
    return parsed


def unit_of(address: Address | str) -> Network:
    """The unit that is counted: /32 or /64."""
    found = normalise(address)
    return ip_network((found, 32 if found.version == 4 else 64), strict=False)


def wider_units(unit: Network) -> list[Network]:
    """The networks round a unit, narrowest first."""
    return [unit.supernet(new_prefix=length) for length in _WIDER[unit.version] if length < unit.prefixlen]


def shown(unit: Network) -> str:
    """How a unit is written for people: a single address without its /32."""
    return str(unit.network_address) if unit.prefixlen == unit.max_prefixlen else str(unit)
