"""Who is on the other end: the only place that looks at REMOTE_ADDR and X-Forwarded-For (research: security.md 4.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, ip_network
from typing import Any

from qikbiz.abuse.units import Address, Network, normalise, unit_of

# Longer than any honest chain of proxies; what comes before is not read.
_HOPS = 20
_LONGEST_HEADER = 4096
_THIS_MACHINE = IPv4Address("127.0.0.1")


def client_address(environ: Mapping[str, Any], trusted: Sequence[Network]) -> Address:
    """The address nearest to us that is not one of our own proxies.

    A forwarded header counts only when the peer is a trusted proxy; it is then read from the right. Anything that is
    not an address ends the reading: what stands to the left of it could be anyone's invention.
    """
    found = peer_address(environ)
    header = str(environ.get("HTTP_X_FORWARDED_FOR") or "")
    if len(header) > _LONGEST_HEADER:
        return found
    for word in reversed(header.split(",")[-_HOPS:]):
        forwarded = _address(word.strip())
        if forwarded is None or not any(found in network for network in trusted):
            return found
        found = forwarded
    return found


def peer_address(environ: Mapping[str, Any]) -> Address:
    """Who holds the connection. Over a unix socket that is a process of this machine."""
    return _address(str(environ.get("REMOTE_ADDR") or "")) or _THIS_MACHINE


def is_forwarded(environ: Mapping[str, Any]) -> bool:
    """Whether somebody asks through a proxy, ours or not."""
    return bool(environ.get("HTTP_X_FORWARDED_FOR"))


def unit(address: Address) -> Network:
    """What is counted as one source: an IPv4 address, an IPv6 /64."""
    return unit_of(address)


def shown_prefix(address: Address) -> str:
    """The address as lists may show it: its /24 or /48."""
    return str(ip_network((address, 24 if address.version == 4 else 48), strict=False))


def _address(text: str) -> Address | None:
    try:
        return normalise(text)
    except ValueError:
        return None
