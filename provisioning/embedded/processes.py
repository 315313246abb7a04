"""Finding, waiting for and ending a server by its pid file, which may be stale or name another program's process."""

import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil


class ServerFailed(Exception):
    """An embedded server did not start or stop; the text ends with what its log said last."""


def process_of(pid_file: Path, program: str) -> psutil.Process | None:
    """The live process named by the first line of `pid_file`, if it really runs `program`."""
    try:
        process = psutil.Process(int(pid_file.read_text(encoding="utf-8").split()[0]))
        is_ours = program in process.name() and not has_ended(process)
    except (FileNotFoundError, IndexError, ValueError, psutil.NoSuchProcess):
        return None
    return process if is_ours else None


def has_ended(process: psutil.Process) -> bool:
    """True also for a process that only waits for its parent to collect its end; some parents take seconds."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until(is_true: Callable[[], bool], *, seconds: float) -> bool:
    """Look every few milliseconds, up to `seconds`."""
    deadline = time.monotonic() + seconds
    while not is_true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def end_process(process: psutil.Process, *, how: signal.Signals, seconds: float) -> None:
    """Signal the process and wait; kill it and its children when it has not gone after `seconds`."""
    with suppress(psutil.NoSuchProcess):
        process.send_signal(how)
    if not wait_until(lambda: has_ended(process), seconds=seconds):
        kill_family(process)


def kill_family(process: psutil.Process) -> None:
    """SIGKILL the process and all below it, and wait until they are gone."""
    family = [process]
    with suppress(psutil.NoSuchProcess):
        family += process.children(recursive=True)
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    wait_until(lambda: all(has_ended(member) for member in family), seconds=5)


def last_lines(log: Path, count: int = 8) -> str:
    if not log.exists():
        return "(it wrote no log)"
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:])
