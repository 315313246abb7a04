"""How Redis and the ledger name a network: by a keyed hash, so that they hold no address (P3)."""

from __future__ import annotations

import re

from qikbiz.kernel.database import runtime
from qikbiz.kernel.networks import Network, normalise

_PURPOSE = "address"
_LENGTH = 24
_WORD = re.compile(r"[0-9A-Fa-f:.]{3,45}(?:/\d{1,3})?")
TAKEN_OUT = "(address)"


def mark(unit: Network) -> str:
    return runtime().settings.keys.mac(_PURPOSE, str(unit).encode()).hex()[:_LENGTH]


def marks(unit: Network) -> tuple[str, ...]:
    """Under every key that is still accepted: for look-ups while keys are rolled."""
    return tuple(mac.hex()[:_LENGTH] for mac in runtime().settings.keys.macs(_PURPOSE, str(unit).encode()))


def without_addresses(text: str) -> str:
    """`text` with every address taken out, for what is kept longer than an address may be."""
    return _WORD.sub(lambda found: TAKEN_OUT if _is_address(found[0]) else found[0], text)


def _is_address(word: str) -> bool:
    try:
        normalise(word.partition("/")[0].strip(".:") if "::" not in word else word.partition("/")[0])
    except ValueError:
        return False
    return True
