"""What the DNS says about a name: the only place that asks it."""

from __future__ import annotations

from dns.exception import DNSException
from dns.resolver import NXDOMAIN, NoAnswer, Resolver

SECONDS = 4.0
# An honest name has a handful of TXT records; more are not read.
_MOST = 50


class DnsAway(Exception):
    """The name servers could not be asked or did not answer in time."""


def texts_at(name: str) -> list[str]:
    """The TXT records of `name`, each put together from its pieces; none when there is no such name."""
    try:
        found = resolver().resolve(name, "TXT", lifetime=SECONDS, search=False)
    except (NXDOMAIN, NoAnswer):
        return []
    except DNSException as error:
        raise DnsAway(type(error).__name__) from error
    return [b"".join(record.strings).decode("utf-8", "replace") for record in list(found)[:_MOST]]


def resolver() -> Resolver:
    """The one that this machine is set up with."""
    return Resolver()
