"""How an event is hashed and chained to the one before it: docs/audit-format.md, in code.

Needs nothing but Python, since the checker in every audit file is made of it.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

FORMAT_VERSION = 1
# What the first event of a chain has for the hash of the one before.
BEFORE_THE_FIRST = bytes(32)
SALT_BYTES = 16
# What every event says, in every chain; a chain of an organisation and the platform's have more in between.
PRIVATE = ("subject", "details")


def canonical(value: Any) -> bytes:
    """JSON with the keys in order, without spaces, as UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def private_hash(salt: bytes, subject: str, details: Mapping[str, Any]) -> bytes:
    """Over the part that may hold personal data. With the salt gone, nobody can try out what it was."""
    return hashlib.sha256(salt + canonical({"subject": subject, "details": dict(details)})).digest()


def link_hash(frame: Mapping[str, Any]) -> bytes:
    """The hash of an event, over its frame: everything but the private part, which is in it by its hash."""
    return hashlib.sha256(canonical(dict(frame))).digest()


def moment_text(moment: datetime) -> str:
    """`2026-11-22T18:05:09.123456Z`."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")  # noqa: UP017  # old Pythons check too


def exact(details: Mapping[str, Any]) -> Any:
    """The details as they come back from the database: what JSON has no exact form for becomes text."""
    return json.loads(json.dumps(dict(details), allow_nan=False), parse_float=str)
