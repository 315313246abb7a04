"""How often a proxy may ask for names that nobody has here: a client is trying names out, and we want to know."""

from __future__ import annotations

import logging
import time

from qikbiz.security.rate_limits.local_counters import LocalCounters

MOST_A_MINUTE = 300
# In this process and over fixed minutes: what is refused costs nothing but the asking.
_counters = LocalCounters()
logger = logging.getLogger(__name__)


def asked_too_often() -> bool:
    """Count one. True when there were too many in this minute; that is logged once for each minute."""
    minute = int(time.monotonic() // 60)
    _counters.delete([str(minute - 1)])
    count = _counters.add(str(minute), 1) or 0
    if count == MOST_A_MINUTE + 1:
        logger.warning("unknown_names_asked_for", extra={"count": count})
    return count > MOST_A_MINUTE
