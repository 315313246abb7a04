"""What the web processes share in memory: which host each works for, and which hosts were requested lately.

Every cell is written whole by one processor instruction, so nothing is locked. What is read may be a moment old: a
request then waits some milliseconds too long, or begins that early.
"""

from __future__ import annotations

import mmap
import time
from zlib import crc32

# How long another host's last request keeps the places free that it may need again.
VISITED_SECONDS = 5.0
# A request that takes longer holds up no other one of its host: a slow page must not stop an organisation.
QUICK_SECONDS = 0.1
_PLACES, _VISITS, _CELL = 16, 16, 8


class Board:
    """Made before the processes are forked. Process number n has `of(n)`."""

    def __init__(self, processes: int) -> None:
        # Pairs of a host and a moment. For each process: who is at work since when, and the one that was done last; at
        # the end the hosts that were requested.
        self._own = 2 * (_PLACES + 1)
        self._processes = processes
        cells = processes * self._own + 2 * _VISITS
        memory = memoryview(mmap.mmap(-1, cells * _CELL))
        self._hosts, self._moments = memory.cast("Q"), memory.cast("d")

    def of(self, number: int) -> Place:
        return Place(self, number)

    def clear(self, number: int) -> None:
        """Clears what a process that has ended left there."""
        begin = number * self._own
        for cell in range(begin, begin + self._own, 2):
            self._hosts[cell] = 0

    def visit(self, host: int) -> None:
        cell = self._processes * self._own + 2 * (host % _VISITS)
        self._hosts[cell], self._moments[cell + 1] = host, time.monotonic()

    def has_other(self, host: int) -> bool:
        """Whether another host was visited in any process lately."""
        since, begin = time.monotonic() - VISITED_SECONDS, self._processes * self._own
        cells = range(begin, begin + 2 * _VISITS, 2)
        return any(self._hosts[cell] not in (0, host) and self._moments[cell + 1] > since for cell in cells)

    def begin(self, number: int, host: int) -> None:
        cells = self._places(number)
        free = next((cell for cell in cells if not self._hosts[cell]), None)
        if free is not None:
            self._hosts[free], self._moments[free + 1] = host, time.monotonic()

    def done(self, number: int, host: int) -> None:
        cells = self._places(number)
        held = next((cell for cell in cells if self._hosts[cell] == host), None)
        if held is not None:
            self._hosts[held] = 0
        self._hosts[cells.stop], self._moments[cells.stop + 1] = host, time.monotonic()

    def is_at_work(self, host: int, *, but: int, within: float = 0.0) -> bool:
        """Whether another process than number `but` has just begun for the host, or did until `within` seconds ago."""
        now = time.monotonic()
        for number in range(self._processes):
            if number == but:
                continue
            cells = self._places(number)
            if any(self._hosts[cell] == host and self._moments[cell + 1] > now - QUICK_SECONDS for cell in cells):
                return True
            if within and self._hosts[cells.stop] == host and self._moments[cells.stop + 1] > now - within:
                return True
        return False

    def _places(self, number: int) -> range:
        return range(number * self._own, number * self._own + 2 * _PLACES, 2)


class Place:
    """One process at the board."""

    def __init__(self, board: Board, number: int) -> None:
        self._board = board
        self._number = number
        board.clear(number)

    def visit(self, whose: str) -> None:
        self._board.visit(_cell_value(whose))

    def begin(self, whose: str) -> None:
        self._board.begin(self._number, _cell_value(whose))

    def done(self, whose: str) -> None:
        self._board.done(self._number, _cell_value(whose))

    def has_other(self, whose: str) -> bool:
        return self._board.has_other(_cell_value(whose))

    def is_at_work_elsewhere(self, whose: str, *, within: float = 0.0) -> bool:
        return self._board.is_at_work(_cell_value(whose), but=self._number, within=within)


def _cell_value(whose: str) -> int:
    return crc32(whose.encode()) + 1
