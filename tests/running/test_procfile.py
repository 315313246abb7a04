"""The processes of the Procfile: started again when they end, ended together, never left behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from provisioning.embedded.processes import has_ended, wait_until

ROOT = Path(__file__).parents[2]
RUNNER = """
import sys
from pathlib import Path
from honcho.printer import Printer
from provisioning.procfile import run_procfile
import os
run_procfile(
    Path(sys.argv[1]), environment_of=lambda _: os.environ, printer=Printer(sys.stdout), when_started=lambda: None
)
print("all ended", flush=True)
"""
# Says its process id in a file, then waits; SIGTERM ends it unless it is stubborn.
WAITER = """\
import os, signal, sys, time
from pathlib import Path
if "stubborn" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
Path(sys.argv[1]).write_text(str(os.getpid()))
time.sleep(60)
"""


class Running:
    """A Procfile being run by a process of its own."""

    def __init__(self, folder: Path, **processes: str) -> None:
        self.folder = folder
        (folder / "waiter.py").write_text(WAITER)
        waiter = f"{sys.executable} {folder / 'waiter.py'}"
        lines = [f"{name}: {waiter} {folder / name} {manner}\n" for name, manner in processes.items()]
        (folder / "Procfile").write_text("".join(lines))
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        self.runner = subprocess.Popen(
            [sys.executable, "-c", RUNNER, folder / "Procfile"], env=environment, stdout=subprocess.PIPE, text=True
        )

    def process(self, name: str, *, other_than: psutil.Process | None = None) -> psutil.Process:
        mark = self.folder / name

        def is_there() -> bool:
            found = mark.read_text() if mark.exists() else ""
            return found != "" and (other_than is None or int(found) != other_than.pid)

        assert wait_until(is_there, seconds=15)
        return psutil.Process(int(mark.read_text()))


@pytest.fixture
def running(tmp_path: Path) -> Iterator[list[Running]]:
    started: list[Running] = []
    yield started
    for one in started:
        one.runner.kill()
        one.runner.communicate()


def test_sigterm_ends_every_process_and_then_the_runner(tmp_path: Path, running: list[Running]) -> None:
    both = Running(tmp_path, web="docile", sweeper="docile")
    running.append(both)
    web, sweeper = both.process("web"), both.process("sweeper")
    both.runner.send_signal(signal.SIGTERM)
    said, _ = both.runner.communicate(timeout=10)
    assert "all ended" in said
    assert has_ended(web)
    assert has_ended(sweeper)


def test_a_process_that_ends_is_started_again_and_the_others_go_on(tmp_path: Path, running: list[Running]) -> None:
    both = Running(tmp_path, web="docile", sweeper="docile")
    running.append(both)
    web, sweeper = both.process("web"), both.process("sweeper")
    sweeper.kill()
    again = both.process("sweeper", other_than=sweeper)
    assert not has_ended(again)
    assert not has_ended(web)


def test_a_process_that_ignores_sigterm_is_killed_after_a_few_seconds(tmp_path: Path, running: list[Running]) -> None:
    one = Running(tmp_path, web="stubborn")
    running.append(one)
    web = one.process("web")
    one.runner.send_signal(signal.SIGINT)
    one.runner.communicate(timeout=12)
    assert has_ended(web)


def test_nothing_is_left_behind_when_the_runner_itself_is_killed(tmp_path: Path, running: list[Running]) -> None:
    both = Running(tmp_path, web="docile", sweeper="docile")
    running.append(both)
    web, sweeper = both.process("web"), both.process("sweeper")
    both.runner.kill()
    assert wait_until(lambda: has_ended(web) and has_ended(sweeper), seconds=8)
