"""Counting in this process alone: what it goes by while Redis is away, so that a limit does not open under load.

It is kept up while Redis answers too: an outage then goes on from what was counted before it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

MOST_COUNTERS = 20_000


class LocalCounters:
    """Sums by key, bounded in number. One lock, so that asking and counting are one step."""

    def __init__(self) -> None:
        self._sums: dict[str, int] = {}
        self._lock = threading.Lock()

    def add(self, key: str, amount: int, *, before: int = 0, most: int | None = None) -> int | None:
        """The sum after adding `amount`, with `before` on top. None, with nothing added, when it was `most` already."""
        with self._lock:
            found = self._sums.get(key, 0)
            if most is not None and found + before >= most:
                return None
            self._put(key, max(0, found + amount))
            return found + amount + before

    def learn(self, sums: Mapping[str, int]) -> None:
        """Take over what Redis counted: it has seen what every process did."""
        with self._lock:
            for key, value in sums.items():
                self._put(key, value)

    def sum_of(self, key: str) -> int:
        return self._sums.get(key, 0)

    def add_to_all(self, limits: Mapping[str, tuple[int, int]]) -> list[str]:
        """Count one for each key, or for none when some are full. `limits` are (most, before) by key.

        Returns the keys that are full.
        """
        with self._lock:
            full = [key for key, (most, before) in limits.items() if self._sums.get(key, 0) + before >= most]
            if not full:
                for key in limits:
                    self._put(key, self._sums.get(key, 0) + 1)
            return full

    def delete(self, keys: Iterable[str]) -> None:
        with self._lock:
            for key in keys:
                self._sums.pop(key, None)

    def _put(self, key: str, value: int) -> None:
        if key not in self._sums and len(self._sums) >= MOST_COUNTERS:
            self._sums.clear()
        self._sums[key] = value
