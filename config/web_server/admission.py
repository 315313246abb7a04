"""How many connections and uploads there may be, in all and from one address.

A new connection is never refused while an old one only waits: at a limit, the one that has kept us waiting longest is
closed. So a client that holds many open loses its own, and not those of others behind the same address.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Protocol

from config.web_server.limits import Limits


class Guest(Protocol):
    """A connection as it is counted. `is_waiting` while no request of it is with the application."""

    peer: str
    is_waiting: bool

    def close(self) -> None: ...

    def look(self, now: float) -> None: ...


class Admission:
    """The connections of one process, oldest first; asked in the thread of its loop only."""

    def __init__(self, limits: Limits, is_proxy: Callable[[str], bool]) -> None:
        self._limits = limits
        self._is_proxy = is_proxy
        self._guests: dict[str, dict[Guest, None]] = {}
        self._all: dict[Guest, None] = {}
        self._uploads: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Guest]:
        return iter(list(self._all))

    def __len__(self) -> int:
        return len(self._all)

    def enter(self, guest: Guest) -> bool:
        """Count a new connection; False when the limit is reached, even after closing one that waits."""
        own = self._guests.setdefault(guest.peer, {})
        if not self._is_proxy(guest.peer) and len(own) >= self._limits.connections_of_one and not _close_one(own):
            return False
        if len(self._all) >= self._limits.connections and not _close_one(self._all):
            return False
        own[guest] = self._all[guest] = None
        return True

    def leave(self, guest: Guest) -> None:
        self._all.pop(guest, None)
        own = self._guests.get(guest.peer, {})
        own.pop(guest, None)
        if not own:
            self._guests.pop(guest.peer, None)

    def moved(self, guest: Guest) -> None:
        """It was answered: from now on it waits again, and others have waited longer."""
        for those in (self._all, self._guests.get(guest.peer, {})):
            if guest in those:
                del those[guest]
                those[guest] = None

    def begin_upload(self, address: str) -> bool:
        """Take one of the few places for large bodies; False when all are taken."""
        if self._uploads.total() >= self._limits.uploads or self._uploads[address] >= self._limits.uploads_of_one:
            return False
        self._uploads[address] += 1
        return True

    def end_upload(self, address: str) -> None:
        self._uploads[address] -= 1
        if self._uploads[address] <= 0:
            del self._uploads[address]


def _close_one(guests: dict[Guest, None]) -> bool:
    oldest = next((guest for guest in guests if guest.is_waiting), None)
    if oldest is None:
        return False
    oldest.close()
    return True
