"""Until when the work-horse process may be silent, in memory that it shares with the worker process that forked it.

A work-horse is RQ's word for the process that does one job. One that is frozen, or whose interpreter a library holds,
can't end itself and would hold its queue for every tenant. Its heartbeat writes here; the worker kills it once the
time is over.
"""

from __future__ import annotations

import mmap
import struct
import time

# From the fork to the claim: the longest part is a Redis that is away (workers.worker.patient_connection).
SECONDS_TO_CLAIM = 180.0
_moment = struct.Struct("d")
_memory = mmap.mmap(-1, _moment.size)


def begin() -> None:
    """A worker begins: it shares the memory only with the processes that it forks."""
    global _memory  # noqa: PLW0603  # one for each process; the clock is the same in all of them
    _memory = mmap.mmap(-1, _moment.size)


def extend(seconds: float) -> None:
    """The process is well, or about to begin."""
    _moment.pack_into(_memory, 0, time.monotonic() + seconds)


def is_over() -> bool:
    moment: float = _moment.unpack_from(_memory, 0)[0]
    return time.monotonic() > moment
