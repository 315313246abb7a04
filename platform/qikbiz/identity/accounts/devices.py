"""A device in a few plain words, for the list of sessions: “Firefox on Windows”. Nothing is decided on it."""

from __future__ import annotations

from ipaddress import ip_network

from flask import request
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from qikbiz.identity.accounts.realms import Account, Realm
from qikbiz.kernel.database import runtime
from qikbiz.web.client_address import client_address, shown_prefix

_REGION = {4: 16, 6: 32}
# The first that is found wins: every browser's name also contains that of older ones.
_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def device_of_request() -> str:
    return device(request.headers.get("User-Agent", ""))


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


def device(user_agent: str) -> str:
    """`Chrome on Linux`, or `Unknown browser`."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "Unknown browser")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return f"{browser} on {system}" if system else browser
