"""The networks that may sign in. An organisation that names none lets everybody try from anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network

from flask import request

from qikbiz.identity.accounts.realms import Account, Realm
from qikbiz.identity.sign_in_policy.queries import policy_of
from qikbiz.kernel.database import runtime
from qikbiz.kernel.errors import Failure, Forbidden
from qikbiz.kernel.networks import Address
from qikbiz.security.access_log.kinds import AccessKind
from qikbiz.security.access_log.recorder import record_access
from qikbiz.web.client_address import client_address

MOST = 50
# Wider than this is no list of one's own networks any more.
WIDEST = {4: 8, 6: 20}


class BadNetwork(Failure):
    """A line that is no network, or too wide a one; the text names it."""

    key = "bad_network"


class OutsideNetworks(Forbidden):
    """The organisation lets people sign in only from its own networks, and this address is in none of them."""

    key = "outside_networks"


def address_of_request() -> Address:
    return client_address(request.environ, runtime().settings.trusted_proxies)


def is_inside(address: Address, networks: Sequence[str]) -> bool:
    """Whether the address may sign in."""
    return not networks or any(address in ip_network(network) for network in networks)


def require_inside(realm: Realm, *, account: str = "", person: Account | None = None) -> None:
    """Raises OutsideNetworks where the policy does not let this request's address sign in."""
    if is_inside(address_of_request(), policy_of(realm).networks):
        return
    record_access(AccessKind.NETWORK_REFUSED, "refused", person=person, account=account, detail="Not in the list")
    raise outside()


def outside() -> OutsideNetworks:
    return OutsideNetworks(f"Your address is {address_of_request()}, which is in none of them.")


def read_networks(text: str) -> tuple[str, ...]:
    """One network or address a line, without repetitions. Raises BadNetwork."""
    lines = [line.strip() for line in text.replace(",", "\n").splitlines()]
    found = tuple(dict.fromkeys(str(_network(line)) for line in lines if line))
    if len(found) > MOST:
        raise BadNetwork(f"You listed {len(found)} networks; at most {MOST} are allowed.")
    return found


def _network(line: str) -> IPv4Network | IPv6Network:
    shown = line[:60]
    try:
        network = ip_network(line, strict=False)
    except ValueError:
        raise BadNetwork(f"“{shown}” is not a network. Enter it like 203.0.113.0/24 or 2001:db8::/32.") from None
    if "/" in line and str(network.network_address) != str(ip_network(line.split("/", maxsplit=1)[0]).network_address):
        raise BadNetwork(f"“{shown}” has an address that is inside its network. Did you mean {network}?")
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    if mapped is not None:
        raise BadNetwork(f"“{shown}” is an IPv4 network written as IPv6. Enter it as IPv4, such as {mapped}/24.")
    if network.prefixlen < WIDEST[network.version]:
        raise BadNetwork(f"“{shown}” is too wide: a network may have /{WIDEST[network.version]} or a larger number.")
    return network
