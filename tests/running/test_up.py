"""`qikbiz up`, as `make run` calls it: everything runs, two copies side by side, nothing is left behind."""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from provisioning.embedded.processes import has_ended, wait_until
from tests.fixtures import compiled_templates
from tests.fixtures.ports import free_port
from tests.fixtures.servers import Servers, servers_at, throw_away_folder

QIKBIZ = Path(sys.executable).parent / "qikbiz"
SECONDS_TO_START = 90


class Copy:
    """One copy of the product, in a home and on a port of its own."""

    def __init__(self, *options: str) -> None:
        self.options = options
        self.home = throw_away_folder("up")
        self.port = free_port()
        self.servers: Servers = servers_at(self.home)
        self.answer: dict[str, Any] = {}

    def start(self) -> None:
        compiled_templates.lend(self.home)
        self.process = subprocess.Popen(
            [QIKBIZ, "up", "--json", *self.options],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def wait(self) -> None:
        """Until it says that it is ready, in one line."""
        assert self.process.stdout
        ready, _, _ = select.select([self.process.stdout], [], [], SECONDS_TO_START)
        assert ready, "it did not say in time that it is ready"
        self.answer = json.loads(self.process.stdout.readline())
        compiled_templates.keep(self.home)

    @property
    def environment(self) -> dict[str, str]:
        # No demo organisations in the test environment: they have tests of their own.
        own = {"QIKBIZ_HOME": str(self.home), "PORT": str(self.port), "QIKBIZ_ENV": "test"}
        return {name: value for name, value in os.environ.items() if not name.startswith("QIKBIZ_")} | own

    def qikbiz(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [QIKBIZ, *words], env=self.environment | environment, capture_output=True, text=True, check=False
        )

    def get(self, path: str, host: str) -> int:
        url = f"http://127.0.0.1:{self.port}{path}"
        response: HTTPResponse
        with urllib.request.urlopen(urllib.request.Request(url, headers={"Host": host}), timeout=5) as response:
            return response.status

    def stop(self) -> str:
        """Ctrl-C. Returns what it printed after its answer."""
        self.process.send_signal(signal.SIGINT)
        said, _ = self.process.communicate(timeout=30 * busyness())
        return said.decode()

    def discard(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
        wait_until(lambda: not processes_of(self.home), seconds=8)
        self.servers.discard()


def processes_of(home: Path) -> list[str]:
    """Command lines of the living processes that were started for this home; its servers are not among them."""
    found = []
    for process in psutil.process_iter(["status", "cmdline"]):
        try:
            if process.environ().get("QIKBIZ_HOME") == str(home) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


@pytest.fixture(scope="module")
def copies() -> Iterator[tuple[Copy, Copy]]:
    both = Copy(), Copy()
    try:
        for one in both:
            one.start()
        for one in both:
            one.wait()
        yield both
    finally:
        for one in both:
            one.discard()
            shutil.rmtree(one.home, ignore_errors=True)


def test_two_copies_run_side_by_side_and_answer_on_every_host(copies: tuple[Copy, Copy]) -> None:
    for one in copies:
        assert one.answer["addresses"]["Public site"] == f"http://localhost:{one.port}"
        for host in ("localhost", "console.localhost", "nobody.localhost"):
            assert one.get("/healthz", f"{host}:{one.port}") == 200
        assert one.get("/readyz", "localhost") == 200


def test_doctor_finds_everything_well_beside_a_running_product(copies: tuple[Copy, Copy]) -> None:
    found: list[dict[str, Any]] = []

    def is_well() -> bool:
        done = copies[0].qikbiz("doctor", "--json")
        found[:] = [check for check in json.loads(done.stdout)["checks"] if not check["ok"]]
        return done.returncode == 0

    # Workers and sweeper start beside the web, which is all that the answer waited for. Tests keep no append-only file.
    assert wait_until(is_well, seconds=10), found


def test_a_second_start_in_the_same_home_or_on_the_same_port_is_refused(copies: tuple[Copy, Copy]) -> None:
    again = copies[0].qikbiz("up")
    assert again.returncode == 1
    assert "already runs" in again.stderr
    assert f"process {copies[0].process.pid}" in again.stderr
    with tempfile.TemporaryDirectory() as elsewhere:
        taken = copies[0].qikbiz("up", QIKBIZ_HOME=elsewhere)
    assert taken.returncode == 1
    assert f"Port {copies[0].port} can't be used" in taken.stderr


def kept(one: Copy, name: str) -> psutil.Process | None:
    """The process of that name, as the supervisor began it; the web's is the master of its processes."""
    found = []
    for each in psutil.Process(one.process.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if each.name() == name and not has_ended(each):
                found.append((each.create_time(), each))
    return min(found, key=lambda pair: pair[0])[1] if found else None


@pytest.mark.parametrize("name", ["worker-mail", "sweeper", "web", "valkey-server", "postgres", "python"])
def test_whatever_is_killed_is_started_again_and_pages_are_served(copies: tuple[Copy, Copy], name: str) -> None:
    """`python` is the process that has loaded the product; those forked from it end with it."""
    one = copies[1]
    assert wait_until(lambda: kept(one, name) is not None and ready(one), seconds=30 * busyness())
    before = kept(one, name)
    assert before
    before.kill()

    def is_back() -> bool:
        now = kept(one, name)
        return now is not None and now.pid != before.pid and ready(one)

    assert wait_until(is_back, seconds=30 * busyness())


def ready(one: Copy) -> bool:
    try:
        return one.get("/readyz", "localhost") == 200
    except OSError:
        return False


def test_ctrl_c_stops_everything_within_seconds(copies: tuple[Copy, Copy]) -> None:
    one = copies[1]
    started = time.monotonic()
    assert one.stop() == ""
    assert one.process.returncode == 0
    assert time.monotonic() - started < 9 * busyness()
    assert processes_of(one.home) == []
    assert not one.servers.postgres.is_running()
    assert not one.servers.valkey.is_running()


def test_the_next_start_is_quick_and_keeps_the_data_also_after_a_kill(copies: tuple[Copy, Copy]) -> None:
    one = copies[0]
    with psycopg.connect(one.servers.postgres.url(database="qikbiz_control"), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    one.process.kill()
    one.process.communicate()
    # What the killed run left is ended first, then its servers are taken over.
    assert seconds_to_start(one) < 20 * busyness()
    one.process.send_signal(signal.SIGTERM)
    one.process.communicate(timeout=30)
    assert one.process.returncode == 0
    assert processes_of(one.home) == []
    assert not one.servers.postgres.is_running()
    assert seconds_to_start(one) < 10 * busyness()
    with psycopg.connect(one.servers.postgres.url(database="qikbiz_control")) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (7,)


def test_nothing_is_left_when_the_supervisor_is_killed(copies: tuple[Copy, Copy]) -> None:
    one = copies[0]
    family = psutil.Process(one.process.pid).children(recursive=True)
    assert family
    one.process.kill()
    one.process.communicate()
    assert wait_until(lambda: not any(each.is_running() for each in family), seconds=10 * busyness())


def seconds_to_start(one: Copy) -> float:
    started = time.monotonic()
    one.start()
    one.wait()
    return time.monotonic() - started


def busyness() -> float:
    """How many times slower than alone we may be, since others use this machine as well."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
