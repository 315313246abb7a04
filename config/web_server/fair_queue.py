"""Requests that are read and wait for a thread. Hosts take turns, so that a busy organisation delays only itself.

While several hosts are visited, each has one request at work at a time in all processes together, beside those that
take long, and none has all threads of one: a page of another host finds a processor free, however many requests of the
busy one wait. Of two processes the busy host is served by the one that the others don't use, as long as that keeps
none of its requests waiting for long.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from config.web_server.board import QUICK_SECONDS, Board, Place

Task = Callable[[], None]
# A busy host leaves a process alone that another one visited within the first, for at most the second.
SHARED_SECONDS, LONGEST_SECONDS = 1.0, 0.25
# Between two requests of a busy host in one process.
BREATH_SECONDS = 0.01


class FairQueue:
    """`threads` are those of the process, and `place` is its place among the others."""

    def __init__(self, threads: int, place: Place | None = None) -> None:
        self._alone = threads - 1 if threads > 2 else threads
        self._place = place or Board(1).of(0)
        self._waiting: OrderedDict[str, deque[tuple[float, Task]]] = OrderedDict()
        # When each request at work began, by host.
        self._at_work: dict[str, list[float]] = {}
        self._visited: OrderedDict[str, float] = OrderedDict()
        self._count = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self._count

    def put(self, whose: str, task: Task) -> None:
        with self._lock:
            now = time.monotonic()
            self._waiting.setdefault(whose, deque()).append((now, task))
            self._visited[whose] = now
            self._visited.move_to_end(whose)
            self._place.visit(whose)
            self._count += 1

    def take(self) -> tuple[str, Task] | None:
        """The next host's longest waiting request; None when none waits that may begin now. Call `done` after it."""
        with self._lock:
            for whose in self._waiting:
                if self._may_begin(whose):
                    return whose, self._begin(whose)
            return None

    def done(self, whose: str) -> bool:
        """Whether others wait that may begin now."""
        with self._lock:
            self._place.done(whose)
            # Which one it was is not known; the slow ones are those that stay.
            self._at_work[whose].pop()
            if not self._at_work[whose]:
                del self._at_work[whose]
            return self._count > 0

    def has_next(self) -> bool:
        with self._lock:
            return any(self._may_begin(whose) for whose in self._waiting)

    def is_busy(self, whose: str) -> bool:
        """Whether more of this host waits while others are visited: they should not wait to be read."""
        with self._lock:
            return whose in self._waiting and self._place.has_other(whose)

    def _may_begin(self, whose: str) -> bool:
        at_work, now = self._at_work.get(whose, ()), time.monotonic()
        if len(at_work) >= self._alone:
            return False
        if not self._place.has_other(whose):
            return True
        if (at_work and at_work[-1] > now - QUICK_SECONDS) or self._place.is_at_work_elsewhere(whose):
            return False
        came, _ = self._waiting[whose][0]
        if now - came > LONGEST_SECONDS or not self._is_shared(whose):
            return True
        return not self._place.is_at_work_elsewhere(whose, within=BREATH_SECONDS)

    def _is_shared(self, whose: str) -> bool:
        """Whether another host has visited this very process within a moment."""
        since = time.monotonic() - SHARED_SECONDS
        return any(host != whose and moment > since for host, moment in self._visited.items())

    def _begin(self, whose: str) -> Task:
        own = self._waiting[whose]
        _, task = own.popleft()
        self._waiting.move_to_end(whose)
        if not own:
            del self._waiting[whose]
        self._at_work.setdefault(whose, []).append(time.monotonic())
        self._count -= 1
        self._place.begin(whose)
        self._forget_visits()
        return task

    def _forget_visits(self) -> None:
        horizon = time.monotonic() - SHARED_SECONDS
        while self._visited and next(iter(self._visited.values())) < horizon:
            self._visited.popitem(last=False)
