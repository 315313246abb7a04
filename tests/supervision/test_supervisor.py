"""Processes that are kept: begun again when they end, ended together and in order, never left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from config.supervision import Kept, LogRelay, NotKept, Supervisor
from config.supervision.children import describe_end, execute, fork_child
from provisioning.embedded.processes import has_ended, wait_until
from provisioning.procfile import processes_of

ROOT = Path(__file__).parents[2]
# Says its process id in a file, then waits; SIGTERM ends it unless it is stubborn.
WAITER = """\
import os, signal, sys, time
from pathlib import Path
name, manner = sys.argv[1:]
if manner == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if manner == "leaves_a_child" and not os.fork():
    time.sleep(60)
if manner == "notes_its_end":
    def note(*_):
        with Path("ends").open("a") as file: file.write(name + "\\n")
        os._exit(0)
    signal.signal(signal.SIGTERM, note)
Path(name).write_text(str(os.getpid()))
if manner == "ends":
    sys.exit(7)
if manner == "gives_up":
    sys.exit(3)
time.sleep(60)
"""


class Running:
    """A supervisor in a process of its own, with a waiter of each manner."""

    def __init__(self, folder: Path, **manners: str) -> None:
        self.folder = folder
        (folder / "waiter.py").write_text(WAITER)
        command = [sys.executable, "-m", "tests.supervision.supervisor_process", str(folder), json.dumps(manners)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def pid(self, name: str, *, other_than: int = 0) -> int:
        mark = self.folder / name
        assert wait_until(lambda: mark.exists() and mark.read_text() not in ("", str(other_than)), seconds=30)
        return int(mark.read_text())

    def end(self, number: signal.Signals = signal.SIGTERM) -> str:
        self.process.send_signal(number)
        return self.process.communicate(timeout=40)[0]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def start(**manners: str) -> Running:
        started.append(Running(tmp_path, **manners))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.communicate()


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or has_ended(psutil.Process(pid))


def test_sigterm_ends_every_process_and_then_the_supervisor(run: Callable[..., Running]) -> None:
    both = run(web="docile", sweeper="docile")
    processes = both.pid("web"), both.pid("sweeper")
    assert "all ended" in both.end()
    assert both.process.returncode == 0
    assert all(gone(each) for each in processes)


def test_servers_end_when_those_that_need_them_have_ended(run: Callable[..., Running]) -> None:
    three = run(server_of_rows="notes_its_end", web="notes_its_end", sweeper="notes_its_end")
    for name in ("server_of_rows", "web", "sweeper"):
        three.pid(name)
    three.end()
    assert (three.folder / "ends").read_text().split()[-1] == "server_of_rows"


def test_a_process_that_ends_is_begun_again_and_the_others_go_on(run: Callable[..., Running]) -> None:
    both = run(web="docile", sweeper="docile")
    web, sweeper = both.pid("web"), both.pid("sweeper")
    os.kill(sweeper, signal.SIGKILL)
    again = both.pid("sweeper", other_than=sweeper)
    assert not gone(again)
    assert not gone(web)
    assert "sweeper was killed by SIGKILL; it starts again in 0.5 s." in both.end()


def test_an_end_is_seen_though_a_child_of_it_still_holds_its_pipe(run: Callable[..., Running]) -> None:
    one = run(web="leaves_a_child")
    web = one.pid("web")
    (child,) = psutil.Process(web).children()
    os.kill(web, signal.SIGKILL)
    try:
        one.pid("web", other_than=web)
        assert child.is_running()
    finally:
        child.kill()


def test_a_process_that_ignores_sigterm_is_killed_after_a_while(run: Callable[..., Running]) -> None:
    one = run(web="stubborn")
    web = one.pid("web")
    one.end(signal.SIGINT)
    assert gone(web)


def test_nothing_is_left_behind_when_the_supervisor_itself_is_killed(run: Callable[..., Running]) -> None:
    both = run(web="docile", sweeper="stubborn")
    web, sweeper = both.pid("web"), both.pid("sweeper")
    both.process.kill()
    assert wait_until(lambda: gone(web) and gone(sweeper), seconds=10)


def test_what_ends_again_and_again_ends_everything_with_a_sentence_and_a_code(run: Callable[..., Running]) -> None:
    both = run(web="ends", sweeper="docile")
    sweeper = both.pid("sweeper")
    said, _ = both.process.communicate(timeout=40)
    assert said.splitlines()[-1] == "web ended with code 7, 3 times in a row."
    assert both.process.returncode == 1
    assert gone(sweeper)


def test_what_says_itself_that_it_is_no_use_is_not_tried_again(run: Callable[..., Running]) -> None:
    one = run(web="gives_up")
    said, _ = one.process.communicate(timeout=40)
    assert said.splitlines() == ["web gave up."]


def test_what_has_never_run_is_not_waited_for() -> None:
    def begin() -> int:
        raise OSError("no such program")

    supervisor = Supervisor(print)
    supervisor.add(Kept("web", begin))
    with pytest.raises(NotKept, match="web could not be started: no such program"):
        supervisor.run()


def test_what_is_done_once_is_not_begun_again_and_tells_how_it_ended() -> None:
    codes: list[int] = []
    supervisor = Supervisor(print)

    def ended(code: int) -> None:
        codes.append(code)
        if len(codes) == 2:
            supervisor.stop()

    for code in (0, 4):
        supervisor.add(Kept(f"task {code}", lambda code=code: fork_child(lambda: code), once=ended))  # type: ignore[misc]
    supervisor.run()
    assert sorted(codes) == [0, 4]


def test_a_line_that_nothing_can_take_is_dropped_and_nothing_raises(tmp_path: Path) -> None:
    """/dev/full is a disk that is full."""
    (tmp_path / "log").symlink_to("/dev/full")
    relay = LogRelay(tmp_path / "log", everything=False)
    supervisor = Supervisor(relay.say)
    output = relay.pipe("web")
    relay.listen(supervisor)
    command = [sys.executable, "-c", "print('{\"level\": \"info\"}'); print('last')"]
    begin = lambda: execute(command, environment={}, directory=tmp_path, output=output)  # noqa: E731
    supervisor.add(Kept("web", begin, once=lambda _: supervisor.stop()))
    supervisor.run()
    assert relay.last_line("web") == "last"
    relay.say("still here")


def test_lines_go_to_the_log_and_only_what_is_not_everyday_to_the_screen(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    relay = LogRelay(tmp_path / "log", everything=False)
    os.write(relay.pipe("web"), b'{"level": "info", "event": "request"}\n{"level": "error"}\nhalf a li')
    relay.last_line("web")
    os.write(relay.pipe("web"), b"ne\n")
    assert relay.last_line("web") == "half a line"
    logged = [line.partition(" | ")[2] for line in (tmp_path / "log").read_text().splitlines()]
    assert logged == ['{"level": "info", "event": "request"}', '{"level": "error"}', "half a line"]
    assert [line.partition(" | ")[2] for line in capfd.readouterr().err.splitlines()] == logged[1:]


def test_ends_are_described_in_words() -> None:
    assert describe_end(7 << 8) == "ended with code 7"
    assert describe_end(9) == "was killed by SIGKILL"
    assert describe_end(40) == "was killed by signal 40"


def test_the_procfile_names_processes_and_their_commands(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("# a note\nweb: python -m one --two\n\nworker-mail:   run it\n")
    assert processes_of(tmp_path / "Procfile") == {"web": "python -m one --two", "worker-mail": "run it"}
    assert next(iter(processes_of())) == "web"


def test_a_pause_between_tries_grows_and_a_long_life_forgets_it() -> None:
    said: list[str] = []
    supervisor = Supervisor(said.append, most_tries=20)
    kept = Kept("web", lambda: 0)
    for _ in range(8):
        kept.started = time.monotonic()
        supervisor._ended(kept, "ended with code 1")
    assert [float(line.split()[-2]) for line in said] == [0.5, 1, 2, 4, 8, 16, 30, 30]
    kept.started = time.monotonic() - 61
    supervisor._ended(kept, "ended with code 1")
    assert said[-1].endswith("in 0.5 s.")


def test_a_screen_that_nobody_reads_holds_nothing_up(tmp_path: Path) -> None:
    """A terminal stopped by Ctrl-S, or a pipe whose reader sleeps. What it missed is in the log, and is counted."""
    ear, mouth = os.pipe()
    before = os.dup(2)
    os.dup2(mouth, 2)
    os.close(mouth)
    try:
        relay = LogRelay(tmp_path / "log", everything=True)
        for number in range(3000):
            relay.say(f"{number} {'x' * 100}")
        seen = os.read(ear, 1 << 20)
        relay.say("read again")
        seen += os.read(ear, 1 << 20)
    finally:
        os.dup2(before, 2)
        os.close(before)
        os.close(ear)
    assert len((tmp_path / "log").read_text().splitlines()) == 3001
    shown = seen.decode().splitlines()
    assert shown[-1].endswith("| read again")
    assert shown[-2] == f"(lines not shown here: {3001 - len(shown) + 1}; the log has them)"
