"""The processes of the Procfile under honcho, which ends all when one ends; here each is started again instead.

honcho gives every process a keeper that relays its lines. Ours also starts it again, a little later each time, and
ends it when `qikbiz up` itself was killed, so that nothing is left behind that holds the port.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from honcho.environ import parse_procfile
from honcho.manager import Manager
from honcho.printer import Message, Printer
from honcho.process import Process

from provisioning.logs import turn_over

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
HEALTHY_AFTER = 60.0
SECONDS_TO_END = 5.0


def run_procfile(
    procfile: Path,
    *,
    environment_of: Callable[[str], Mapping[str, str]],
    printer: Printer,
    when_started: Callable[[], None],
) -> None:
    """Run every process until SIGINT or SIGTERM, then end them all within a few seconds.

    `environment_of` gives the environment of the process of that name.
    """
    # honcho's keepers are made for fork; newer Pythons would start them from a server of their own.
    multiprocessing.set_start_method("fork", force=True)
    manager = KeepingManager(printer, when_started)
    for name, command in parse_procfile(procfile.read_text(encoding="utf-8")).processes.items():
        manager.add_process(name, f"exec {command}", env=dict(environment_of(name)), cwd=str(procfile.parent))
    manager.loop()


class KeptProcess(Process):  # type: ignore[misc]  # honcho has no types
    """A process that is started again when it ends, unless the whole product is ending."""

    ending: Any = None

    def run(self, events: Any = None, ignore_signals: bool = False) -> None:
        # A keeper ends after its process. Handlers, not SIG_IGN, which the process would inherit.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        self._events = events
        threading.Thread(target=self._end_with_parent, args=(os.getppid(),), daemon=True).start()
        pause = FIRST_PAUSE
        while not self.ending.is_set():
            started = time.monotonic()
            self._run_once()
            pause = FIRST_PAUSE if time.monotonic() - started > HEALTHY_AFTER else min(pause * 2, LONGEST_PAUSE)
            if not self.ending.wait(0):
                self._send_message(f"{self.name} ended; it starts again in {pause:.1f} s\n")
                self.ending.wait(pause)
        self._send_message({"returncode": 0}, type="stop")

    def _run_once(self) -> None:
        self._child = self._child_ctor(self.cmd, env=self.env, cwd=self.cwd)
        self._send_message({"pid": self._child.pid}, type="start")
        if self.ending.is_set():  # the order to end may have named the process before this one
            self._signal(signal.SIGTERM)
        for line in iter(self._child.stdout.readline, b""):
            self._send_message(line)
        self._child.stdout.close()
        self._child.wait()

    def _end_with_parent(self, parent: int) -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._child.wait(SECONDS_TO_END)
        self._signal(signal.SIGKILL)
        os._exit(1)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, number)


class KeepingManager(Manager):  # type: ignore[misc]  # honcho has no types
    """honcho's manager with processes that are kept running and an end that they know of."""

    def __init__(self, printer: Printer, when_started: Callable[[], None]) -> None:
        super().__init__(printer)
        self._ending = multiprocessing.Event()
        self._process_ctor = KeptProcess
        self._when_started = when_started

    def add_process(self, name: str, cmd: str, quiet: bool = False, env: Any = None, cwd: Any = None) -> Any:
        process = super().add_process(name, cmd, quiet=quiet, env=env, cwd=cwd)
        process.ending = self._ending
        return process

    def terminate(self) -> None:
        if self._ending.is_set():
            return
        self._ending.set()
        # A second Ctrl-C changes nothing, so the kill comes by itself.
        last_resort = threading.Timer(SECONDS_TO_END, self.kill)
        last_resort.daemon = True
        last_resort.start()
        self._killall()

    def _killall(self, force: bool = False) -> None:
        for process in self._processes.values():
            if "pid" in process and "returncode" not in process:
                (self._procmgr.kill if force else self._procmgr.terminate)(process["pid"])

    def _start(self) -> None:
        super()._start()
        threading.Thread(target=self._when_started, daemon=True).start()


class QuietPrinter(Printer):  # type: ignore[misc]  # honcho has no types
    """Everything goes to a log file; the screen shows only what is not everyday, unless `everything` is wanted."""

    def __init__(self, log: Path, *, everything: bool) -> None:
        super().__init__(output=sys.stderr)
        turn_over(log)
        self._log = Printer(output=log.open("a", encoding="utf-8"), time_format="%Y-%m-%d %H:%M:%S")
        self._everything = everything

    def write(self, message: Message) -> None:
        self._log.width = self.width
        self._log.write(message)
        if self._everything or not _is_everyday(message):
            super().write(message)


def _is_everyday(message: Message) -> bool:
    line = message.data if isinstance(message.data, str) else message.data.decode("utf-8", "replace")
    return message.name == "system" or '"level": "info"' in line or '"level": "debug"' in line or "[INFO]" in line
