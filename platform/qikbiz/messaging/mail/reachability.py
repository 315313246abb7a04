"""Whether our mail server can send to an address at all, asked before a page says that a mail is on its way.

An address with letters outside ASCII before its @ needs a server with SMTPUTF8 (RFC 6531); after the @ it does not.
"""

from __future__ import annotations

import hashlib

from qikbiz.kernel.circuit_breaker import CircuitBreaker
from qikbiz.kernel.database import runtime
from qikbiz.messaging.mail import smtp
from qikbiz.messaging.mail.addresses import BadAddress
from tenants.redis import RedisAway

CANT_BE_REACHED = (
    "Our mail server can't send to addresses with letters such as ö or é before the @. Use another address."
)
NOT_KNOWN_NOW = (
    "We can't check at the moment whether our mail server can send to an address with such letters before the @. "
    "Try again in a minute, or use another address."
)
SECONDS_KNOWN = 3600


def unreachable_reason(address: str) -> str:
    """Why no mail of ours gets there, as a sentence; empty when it does. `address` is valid."""
    url = runtime().settings.smtp_url
    if url is None or address.rpartition("@")[0].isascii():
        return ""
    takes_them = _known(url)
    if takes_them is None:
        return NOT_KNOWN_NOW
    return "" if takes_them else CANT_BE_REACHED


def refuse_unreachable(address: str) -> None:
    """Raises BadAddress."""
    reason = unreachable_reason(address)
    if reason:
        raise BadAddress(reason)


def _known(url: str) -> bool | None:
    key = runtime().redis.platform_key("mail", "smtputf8", hashlib.sha256(url.encode()).hexdigest()[:32])
    try:
        with runtime().redis.client() as client:
            kept = client.get(key)
    except RedisAway:
        kept = None
    if kept is not None:
        return str(kept) == "1"
    found = _asked(url)
    if found is not None:
        try:
            with runtime().redis.client() as client:
                client.set(key, "1" if found else "0", ex=SECONDS_KNOWN)
        except RedisAway:
            return found
    return found


def _asked(url: str) -> bool | None:
    if CircuitBreaker(f"mail {url}").seconds_to_wait():
        return None
    try:
        return smtp.takes_any_letters(url)
    except smtp.NotAccepted:
        return None
