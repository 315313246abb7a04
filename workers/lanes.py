"""Further workers for a queue whose jobs take long, so that one tenant's long job does not hold up another's short one.

They are forked from the queue's own worker process, which shares with them what it has loaded, when that one begins a
job, and end when there was nothing for them to do for some seconds: an idle installation has one process a queue. A
tenant has one job of a queue done at a time (qikbiz.jobs.actions), so that with two lanes there is one for another.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
from collections.abc import Callable
from contextlib import suppress

LANES = {"imports": 2, "exports": 2}
IDLE_SECONDS = 5
PR_SET_PDEATHSIG = 1
logger = logging.getLogger(__name__)


class Lanes:
    """The further lanes of one queue. `work` is what each does until a signal ends it, or it finds nothing to do."""

    def __init__(self, queue: str, work: Callable[[], None]) -> None:
        self._work = work
        self._wanted = LANES.get(queue, 1) - 1
        self._processes: set[int] = set()
        self._is_ending = False
        self._keeper = os.getpid()

    def open(self) -> None:
        """Start what is not running. Called by the queue's worker while it is busy; does nothing in a fork of it."""
        if os.getpid() != self._keeper:
            return
        self.reap()
        while len(self._processes) < self._wanted and not self._is_ending:
            self._processes.add(self._fork())

    def end(self) -> None:
        """Ask all to end after the job that runs."""
        self._is_ending = True
        if os.getpid() != self._keeper:
            return
        for process in self._processes:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGTERM)

    def wait(self) -> None:
        for process in self._processes:
            with suppress(ChildProcessError):
                os.waitpid(process, 0)
        self._processes.clear()

    def reap(self) -> None:
        """Collect those that have ended."""
        if os.getpid() != self._keeper:
            return
        for process in list(self._processes):
            try:
                ended, status = os.waitpid(process, os.WNOHANG)
            except ChildProcessError:
                ended, status = process, 0
            if ended:
                self._processes.discard(process)
            if status:
                logger.warning("lane_failed", extra={"process": process, "status": status})

    def _fork(self) -> int:
        parent = os.getpid()
        process = os.fork()
        if process:
            return process
        code = 1
        try:
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() == parent:
                for number in (signal.SIGTERM, signal.SIGINT):
                    signal.signal(number, signal.SIG_DFL)
                self._work()
                code = 0
        finally:
            os._exit(code)
