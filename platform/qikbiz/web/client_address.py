"""Who is on the other end, and how they came. The only place that looks at REMOTE_ADDR and X-Forwarded-….

X-Forwarded-… is believed only from our own proxies: everyone can send these headers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, ip_network

from qikbiz.kernel.networks import Address, Network, normalise, unit_of

# Longer than any honest chain of proxies; what comes before is not read.
_HOPS = 20
_LONGEST_HEADER = 4096
# As nginx writes it ("TLSv1.3") and as Caddy does ("tls1.3").
_TLS_VERSION = re.compile(r"(?:TLSv|tls)(1\.[23])")
# What lists show of an address, and what is kept of it after 30 days.
PREFIX_SHOWN = {4: 24, 6: 48}
_THIS_MACHINE = IPv4Address("127.0.0.1")


def client_address(environ: Mapping[str, object], trusted: Sequence[Network]) -> Address:
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
        if forwarded is None or not _is_trusted(found, trusted):
            return found
        found = forwarded
    return found


def peer_address(environ: Mapping[str, object]) -> Address:
    """Who holds the connection. Over a unix socket that is a process of this machine."""
    return _address(str(environ.get("REMOTE_ADDR") or "")) or _THIS_MACHINE


def is_neighbour(environ: Mapping[str, object], trusted: Sequence[Network]) -> bool:
    """Whether a program on this machine or on a trusted one asks for itself, and not for a client behind it."""
    peer = peer_address(environ)
    return (peer.is_loopback or _is_trusted(peer, trusted)) and not _is_forwarded(environ)


def came_over_tls(environ: Mapping[str, object], trusted: Sequence[Network]) -> bool:
    """Whether the request was encrypted all the way to us or to a proxy of ours; nobody else's word for it counts."""
    if environ.get("wsgi.url_scheme") == "https":
        return True
    return environ.get("HTTP_X_FORWARDED_PROTO") == "https" and _is_trusted(peer_address(environ), trusted)


def tls_version(environ: Mapping[str, object], trusted: Sequence[Network]) -> str:
    """The version that our proxy spoke with the client, such as "TLS 1.3"; "" when no proxy of ours says it."""
    version = _TLS_VERSION.fullmatch(str(environ.get("HTTP_X_FORWARDED_TLS") or ""))
    if version is None or not _is_trusted(peer_address(environ), trusted):
        return ""
    return f"TLS {version[1]}"


def unit(address: Address) -> Network:
    """What is counted as one source: an IPv4 address, an IPv6 /64."""
    return unit_of(address)


def shown_prefix(address: Address) -> str:
    """The address as lists may show it: its /24 or /48."""
    return str(ip_network((address, PREFIX_SHOWN[address.version]), strict=False))


def _is_forwarded(environ: Mapping[str, object]) -> bool:
    """Whether the client asks through a proxy, ours or not."""
    return any(environ.get(name) for name in ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_VIA"))


def _is_trusted(address: Address, trusted: Sequence[Network]) -> bool:
    return any(address in network for network in trusted)


def _address(text: str) -> Address | None:
    try:
        return normalise(text)
    except ValueError:
        return None
