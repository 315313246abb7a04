"""Recovery codes: ten, each good once, for the day the phone is lost. Only their hashes are kept.

A code has 80 random bits, so a plain hash can't be searched through, and it outlives every roll of keys.
"""

from __future__ import annotations

import hashlib
import secrets
from uuid import UUID

HOW_MANY = 10
# Without letters and digits that are read as each other.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz023456789"
_GROUPS, _LETTERS = 4, 4


def new_codes() -> list[str]:
    return [new_code() for _ in range(HOW_MANY)]


def new_code(groups: int = _GROUPS) -> str:
    """`k3w9-…`: 20 random bits a group."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_LETTERS)) for _ in range(groups))


def hash_of(code: str, owner: UUID) -> bytes:
    """Bound to its owner; blanks, hyphens and capitals make no difference."""
    folded = "".join(character for character in code.casefold() if character.isalnum())
    return hashlib.sha256(b"recovery|" + owner.bytes + b"|" + folded.encode("utf-8", "replace")).digest()
