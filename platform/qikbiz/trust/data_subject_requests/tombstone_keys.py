"""Keyed hashes by which an erased person is recognised, without keeping who it was."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable

KEY_BYTES = 32


def new_key() -> str:
    return secrets.token_hex(KEY_BYTES)


def marks_of(key: str, emails: Iterable[str], external_id: str | None) -> list[str]:
    """Of every address, and of the organisation's own number. A name alone is no mark: others have it too."""
    texts = {f"email:{email.strip().lower()}" for email in emails if email.strip()}
    texts |= {f"external:{external_id}"} if external_id else set()
    return sorted(hashlib.sha256(bytes.fromhex(key) + text.encode()).hexdigest() for text in texts)


# The same in SQL, for a column of addresses; {key} is a parameter of the hexadecimal key.
MARK_OF_EMAIL = "encode(sha256(decode({key}, 'hex') || convert_to('email:' || lower({email}), 'UTF8')), 'hex')"
