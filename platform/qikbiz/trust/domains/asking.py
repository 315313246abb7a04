"""How often a proxy may ask for names that nobody has here: somebody is trying names out, and we want to know."""

from __future__ import annotations

import logging
import time
from threading import Lock

MOST_MISSES = 300
SECONDS = 60
logger = logging.getLogger(__name__)


class Misses:
    """Counted in this process, over fixed minutes: what is refused costs nothing but the asking."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._minute = 0
        self._count = 0

    def one_more(self, moment: float) -> bool:
        """Count one. True when there were too many of late; that is logged once for each minute."""
        with self._lock:
            minute = int(moment // SECONDS)
            if minute != self._minute:
                self._minute, self._count = minute, 0
            self._count += 1
            if self._count == MOST_MISSES + 1:
                logger.warning("unknown_names_asked_for", extra={"count": self._count})
            return self._count > MOST_MISSES


_misses = Misses()


def asked_too_often() -> bool:
    return _misses.one_more(time.monotonic())
