"""Which versions of a tenant's schema this program serves: the newest and the one before (expand, then contract)."""

from __future__ import annotations

HEAD = "0002"
SERVED = frozenset({"0001", "0002"})


def is_served(version: str) -> bool:
    return version in SERVED
