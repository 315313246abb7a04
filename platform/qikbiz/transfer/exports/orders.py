"""What a function that makes an export's file is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from qikbiz.transfer.exports.selection import Selection
from tenants.context import Tenant

MIB = 1024 * 1024
# What must stay free for everything else that writes to the same disk.
RESERVE = 256 * MIB


def _ignore(_done: int, _total: int, _note: str) -> None:
    """No one is watching."""


def _allow(_table: str) -> None:
    """Nothing to ask before a table."""


@dataclass(frozen=True)
class Order:
    """One file to make. `before_table` may raise to stop; `watch` is told rows done, rows in all and a note."""

    tenant: Tenant
    selection: Selection
    name: str
    key: bytes
    about: dict[str, Any] = field(default_factory=dict)
    watch: Callable[[int, int, str], None] = _ignore
    before_table: Callable[[str], None] = _allow
    reserve: int = RESERVE


@dataclass(frozen=True)
class MadeFile:
    """The finished file; `manifest` is the one inside it, `work_seconds` what making it took."""

    name: str
    bytes: int
    sha256: str
    snapshot_at: datetime
    manifest: dict[str, Any]
    work_seconds: int = 0
