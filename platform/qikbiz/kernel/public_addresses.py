"""Which IP addresses our servers connect to when a customer names them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_network

# IPv4 addresses in the clothes of IPv6, by which a private one could pass for a public one: NAT64 (RFC 6052),
# compatible (RFC 4291 2.5.5.1) and translated ones (RFC 2765). Mapped ones `ipaddress` knows itself.
_IPV4_INSIDE = tuple(ip_network(each) for each in ("64:ff9b::/96", "::/96", "::ffff:0:0:0/96"))
# Public IPv6 lies in one range, minus what is set aside there: protocols (Teredo and ORCHID among them), benchmarks,
# documentation, 6to4, and segment routing.
_PUBLIC_V6 = ip_network("2000::/3")
_SET_ASIDE = tuple(ip_network(each) for each in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16"))
_UNIQUE_LOCAL = ip_network("fc00::/7")


def may_be_asked(address: IPv4Address | IPv6Address, *, allows_private: bool) -> bool:
    """Whether our servers may connect there: public addresses, and private ones where the operator allows them."""
    if isinstance(address, IPv6Address):
        inner = _ipv4_inside(address)
        if inner is not None:
            return may_be_asked(inner, allows_private=allows_private)
        if address in _PUBLIC_V6:
            return address.is_global and not any(address in network for network in _SET_ASIDE)
        # What is left that a private network may use: unique local addresses, and this machine.
        return allows_private and (address in _UNIQUE_LOCAL or address.is_loopback)
    if address.is_multicast or address.is_unspecified or address.is_link_local or address.is_reserved:
        return False
    return address.is_global or allows_private


def _ipv4_inside(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    is_plain = address.is_loopback or address.is_unspecified
    if not is_plain and any(address in network for network in _IPV4_INSIDE):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None
