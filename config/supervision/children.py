"""How one kept process is begun, and what its end says."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

PR_SET_PDEATHSIG = 1
# What this process sets for itself, and a forked child must not inherit.
_OURS = (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGHUP)
logger = logging.getLogger(__name__)
_prctl = ctypes.CDLL(None, use_errno=True).prctl


@dataclass
class Kept:
    """A process to keep. `begin` starts it and returns its process id; what it raises counts as an end.

    `is_server` keeps it until all others have ended, since they need it until then.
    """

    name: str
    begin: Callable[[], int]
    end_signal: signal.Signals = signal.SIGTERM
    seconds_to_end: float = 5.0
    is_server: bool = False
    pid: int | None = field(default=None, init=False)
    tries: int = field(default=0, init=False)
    started: float = field(default=0.0, init=False)
    begins_at: float = field(default=0.0, init=False)

    def signal(self, number: signal.Signals) -> None:
        if self.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


def fork_child(work: Callable[[], int | None]) -> int:
    """Fork a process that does `work` and exits with what it returns. It is killed when this one ends.

    No connection and no thread may exist here: the child would share the one and miss the other.
    """
    parent = os.getpid()
    _flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        die_with(parent)
        signal.set_wakeup_fd(-1)
        for number in _OURS:
            signal.signal(number, signal.SIG_DFL if number != signal.SIGINT else signal.default_int_handler)
        code = work() or 0
    except SystemExit as end:
        code = _code_of(end)
    except BaseException:
        logger.exception("process_failed")
    finally:
        _flush()
        os._exit(code)


def die_with(parent: int, how: signal.Signals = signal.SIGKILL) -> None:
    """Have the kernel end this process by `how` when `parent` ends, however it ends."""
    _prctl(PR_SET_PDEATHSIG, how)
    if os.getppid() != parent:  # it ended before the line above took effect
        os._exit(1)


def describe_end(status: int) -> str:
    """A status of waitpid in words: "ended with code 1", "was killed by SIGKILL"."""
    if os.WIFSIGNALED(status):
        with suppress(ValueError):
            return f"was killed by {signal.Signals(os.WTERMSIG(status)).name}"
        return f"was killed by signal {os.WTERMSIG(status)}"
    return f"ended with code {os.waitstatus_to_exitcode(status)}"


def _code_of(end: SystemExit) -> int:
    if isinstance(end.code, str):
        print(end.code, file=sys.stderr)
        return 1
    return end.code or 0


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
