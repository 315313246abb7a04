"""Who is on the other end: the only place that looks at REMOTE_ADDR and X-Forwarded-For (research: security.md 4.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
_NAT64 = ip_network("64:ff9b::/96")
_UNKNOWN = IPv4Address("0.0.0.0")
# Longer than any honest chain of proxies; what comes before is not read.
_HOPS = 20
_LONGEST_HEADER = 4096


def client_address(environ: Mapping[str, Any], trusted: Sequence[Network]) -> Address:
    """The address nearest to us that is not one of our own proxies.

    A forwarded header counts only when the peer is a trusted proxy; it is then read from the right. Anything that is
    not an address ends the reading: what stands to the left of it could be anyone's invention.
    """
    found = _parsed(str(environ.get("REMOTE_ADDR") or "")) or peer_of_socket(environ)
    header = str(environ.get("HTTP_X_FORWARDED_FOR") or "")
    if not header or len(header) > _LONGEST_HEADER:
        return found
    for word in reversed(header.split(",")[-_HOPS:]):
        if not _is_trusted(found, trusted):
            break
        address = _parsed(word.strip())
        if address is None:
            break
        found = address
    return found


def peer_of_socket(environ: Mapping[str, Any]) -> Address:
    """Over a unix socket there is no peer address: the peer is a process of this machine."""
    return IPv4Address("127.0.0.1") if not environ.get("REMOTE_ADDR") else _UNKNOWN


def unit(address: Address) -> Network:
    """What is counted as one source: an IPv4 address, an IPv6 /64."""
    return ip_network((address, 32 if address.version == 4 else 64), strict=False)


def shown_prefix(address: Address) -> str:
    """The address as lists and logs may show it: its /24 or /48."""
    return str(ip_network((address, 24 if address.version == 4 else 48), strict=False))


def _parsed(text: str) -> Address | None:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_trusted(address: Address, trusted: Sequence[Network]) -> bool:
    return any(address in network for network in trusted)
