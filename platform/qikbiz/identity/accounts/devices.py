"""Whether a person signs in with a device that was never seen before."""

from __future__ import annotations

from ipaddress import ip_network

from flask import request
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from qikbiz.identity.accounts.realms import Account, Realm
from qikbiz.kernel.database import runtime
from qikbiz.web.client_address import client_address, shown_prefix
from qikbiz.web.user_agents import device_of_request

_REGION = {4: 16, 6: 32}


def place_of_request() -> str:
    """The network that the request comes from, as lists show it."""
    return shown_prefix(client_address(request.environ, runtime().settings.trusted_proxies))


def is_new_device(work: Session, realm: Realm, account: Account, *, roams: bool = False) -> bool:
    """Whether this person was never seen with this browser in this network, as far back as sessions are kept.

    The very first login is not news to anybody. A remembered device `roams`: of it only another browser, or a network
    of another /16 (or /32 of IPv6), is news.
    """
    table = realm.sessions
    own = select(table.id_hash).where(table.person_id == account.id)
    same = select(table.address_prefix).where(table.person_id == account.id, table.device == device_of_request())
    seen = set(work.scalars(same.distinct()))
    if not seen:
        return bool(work.scalar(select(exists(own))))
    here = place_of_request()
    return here not in seen and not (roams and _region(here) in {_region(place) for place in seen})


def _region(place: str) -> str:
    if not place:
        return ""
    network = ip_network(place)
    return str(network.supernet(new_prefix=_REGION[network.version]))
