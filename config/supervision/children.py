"""How one kept process is begun, and what its end says."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15
# What this process sets for itself, and a forked child must not inherit.
_OURS = (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGHUP)
logger = logging.getLogger(__name__)
_prctl = ctypes.CDLL(None, use_errno=True).prctl


@dataclass
class Kept:
    """A process to keep. `begin` starts it and returns its process id; what it raises counts as an end.

    `is_server` keeps it until all others have ended, since they need it until then. With `once` it is not begun again:
    `once` gets its exit code (negative for a signal). The exit code `gives_up_by` says that trying again is no use.
    """

    name: str
    begin: Callable[[], int]
    end_signal: signal.Signals = signal.SIGTERM
    seconds_to_end: float = 5.0
    is_server: bool = False
    once: Callable[[int], None] | None = None
    gives_up_by: int | None = None
    pid: int | None = field(default=None, init=False)
    tries: int = field(default=0, init=False)
    started: float = field(default=0.0, init=False)
    begins_at: float = field(default=0.0, init=False)

    def signal(self, number: signal.Signals) -> None:
        if self.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


def execute(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    directory: Path,
    output: int,
    how: signal.Signals = signal.SIGKILL,
    user: int | None = None,
    group: int | None = None,
    handed: Sequence[int] = (),
) -> int:
    """Start a program, as `user` and `group` when they are given. The kernel sends it `how` when this process ends.

    Of this process's files it gets those of `handed`.
    """
    parent = os.getpid()

    def work() -> int:
        os.setsid()  # Ctrl-C in the terminal is for this process, which ends its programs in order
        if user is not None and group is not None:
            os.setgroups([])
            os.setgid(group)
            os.setuid(user)
        die_with(parent, how)  # again, since a change of account clears it
        os.chdir(directory)
        redirect(output)
        for file in handed:
            os.set_inheritable(file, True)
        os.execvpe(command[0], [str(word) for word in command], dict(environment))

    return fork_child(work)


def redirect(output: int) -> None:
    """What this process prints goes to `output` from now on, and there is nothing that it could read."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    for file, standard in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(file, standard)
    os.close(nothing)


def name_process(name: str) -> None:
    """What `top` and `ps -e` show; the kernel keeps fifteen characters."""
    _prctl(PR_SET_NAME, name.encode()[:15])


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
