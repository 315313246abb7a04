"""The address that an answer by mail goes to: signed, so that nobody writes on a ticket by guessing (promise P20)."""

from __future__ import annotations

import base64
import hmac
import re
from uuid import UUID

from config.settings import Settings

_PURPOSE = "ticket-address"
_MAC_BYTES = 8
_TOKEN = re.compile(r"^[^@]+\+([a-z2-7]{39})@", re.IGNORECASE)


def reply_address(settings: Settings, ticket_id: UUID) -> str:
    """`support+<token>@domain`: the id and the first bytes of its MAC, in letters that survive any mail server."""
    local, _, domain = settings.support_address.partition("@")
    signed = ticket_id.bytes + settings.keys.mac(_PURPOSE, ticket_id.bytes)[:_MAC_BYTES]
    token = base64.b32encode(signed).decode().rstrip("=").lower()
    return f"{local}+{token}@{domain}"


def ticket_of(settings: Settings, address: str) -> UUID | None:
    """The ticket that an address was made for; None when it was not made by us or its key is retired."""
    found = _TOKEN.match(address.strip())
    if found is None:
        return None
    signed = base64.b32decode(found[1].upper() + "=")
    id_, given = signed[:16], signed[16:]
    good = [hmac.compare_digest(mac[:_MAC_BYTES], given) for mac in settings.keys.macs(_PURPOSE, id_)]
    return UUID(bytes=id_) if any(good) else None
