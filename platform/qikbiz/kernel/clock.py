"""The one clock of the product: what it decides by time, it decides by this one, which tests can move."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)
