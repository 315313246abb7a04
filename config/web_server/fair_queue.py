"""Requests that are read and wait for a thread. Hosts take turns, so that a busy organisation delays only itself.

While several hosts are visited, each has a few requests at work at once, and never all threads: a page of somebody else
begins after one request of the busy one, however many of those wait.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

Task = Callable[[], None]
# How long another host's last request keeps the places free that it may need again.
VISITED_SECONDS = 5.0


class FairQueue:
    """`threads` are those of the process; a host has `beside_others` of them while others are visited too."""

    def __init__(self, threads: int, beside_others: int = 1) -> None:
        self._alone = threads - 1 if threads > 2 else threads
        self._beside_others = min(beside_others, self._alone)
        self._waiting: OrderedDict[str, deque[Task]] = OrderedDict()
        self._at_work: dict[str, int] = {}
        self._visited: OrderedDict[str, float] = OrderedDict()
        self._count = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self._count

    def put(self, whose: str, task: Task) -> None:
        with self._lock:
            self._waiting.setdefault(whose, deque()).append(task)
            self._visited[whose] = time.monotonic()
            self._visited.move_to_end(whose)
            self._count += 1

    def take(self) -> tuple[str, Task] | None:
        """The next host's longest waiting request; None when none waits that may begin now. Tell `done` after it."""
        with self._lock:
            if not self._count:
                return None
            most = self._most()
            for whose in self._waiting:
                if self._at_work.get(whose, 0) < most:
                    return whose, self._begin(whose)
            return None

    def done(self, whose: str) -> bool:
        """Whether others wait that may begin now."""
        with self._lock:
            left = self._at_work[whose] - 1
            if left:
                self._at_work[whose] = left
            else:
                del self._at_work[whose]
            return self._count > 0

    def has_next(self) -> bool:
        with self._lock:
            if not self._count:
                return False
            most = self._most()
            return any(self._at_work.get(whose, 0) < most for whose in self._waiting)

    def _begin(self, whose: str) -> Task:
        own = self._waiting[whose]
        task = own.popleft()
        self._waiting.move_to_end(whose)
        if not own:
            del self._waiting[whose]
        self._at_work[whose] = self._at_work.get(whose, 0) + 1
        self._count -= 1
        return task

    def _most(self) -> int:
        horizon = time.monotonic() - VISITED_SECONDS
        while self._visited:
            whose, moment = next(iter(self._visited.items()))
            if moment > horizon:
                break
            del self._visited[whose]
        return self._beside_others if len(self._visited) > 1 else self._alone
