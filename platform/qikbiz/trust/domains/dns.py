"""What the DNS says about a name: the only place that asks it."""

from __future__ import annotations

from dns.exception import DNSException
from dns.resolver import NXDOMAIN, NoAnswer, Resolver

from qikbiz.kernel.circuit_breaker import CircuitBreaker

# For all name servers and all their tries together.
SECONDS = 4.0
_REST_SECONDS = 5
# An honest name has a handful of TXT records; more are not read.
_MOST = 50


class DnsAway(Exception):
    """The name servers could not be asked or did not answer in time."""


def texts_at(name: str) -> list[str]:
    """The TXT records of `name`, each put together from its pieces; none when there is no such name.

    Raises DnsAway, for some seconds without asking: the servers of this one name rest when they did not answer.
    """
    breaker = CircuitBreaker(f"dns {name}", shortest_seconds=_REST_SECONDS)
    if breaker.seconds_to_wait():
        raise DnsAway("Rests")
    try:
        found = resolver().resolve(name, "TXT", lifetime=SECONDS, search=False)
    except (NXDOMAIN, NoAnswer):
        breaker.record_success()
        return []
    except DNSException as error:
        breaker.record_failure()
        raise DnsAway(type(error).__name__) from error
    breaker.record_success()
    return [b"".join(record.strings).decode("utf-8", "replace") for record in list(found)[:_MOST]]


def resolver() -> Resolver:
    """The one that this machine is set up with."""
    return Resolver()
