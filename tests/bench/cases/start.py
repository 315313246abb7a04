"""An idle installation: how soon it serves, what memory it takes, how soon a job starts, how long a command takes."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg

from tests.bench.report import Figure
from tests.bench.stage import BUILD, ROOT, Stage, running

QIKBIZ = str(Path(sys.executable).with_name("qikbiz"))
PAGES = ("/", "/login", "/healthz", "/privacy")
SECONDS_TO_REST = 10.0


def measure_start(played: Stage, *, jobs: int) -> list[Figure]:
    # The stage's own servers have another owner; `up` stops them and begins its own.
    environment = played.environment
    with running([QIKBIZ, "up"], environment=environment, cwd=ROOT, log=BUILD / "up-first.log"):
        _wait_for_page(played.settings.port)
    began = time.perf_counter()
    with running([QIKBIZ, "up"], environment=environment, cwd=ROOT, log=BUILD / "up.log") as up:
        _wait_for_page(played.settings.port)
        served = time.perf_counter() - began
        _visit(played.settings.port)
        _wait_for_rest(up)
        memory = _pss(up) / 2**20
        waited = _seconds_until_jobs_start(played, jobs)
        command = min(_timed("tenant", "list", environment=environment) for _ in range(3))
        os.kill(up.pid, signal.SIGINT)
    return [
        Figure("a page is served after the second start", "s", served, goal="≤ 3 s", reached=served <= 3),
        Figure("memory of an idle installation (PSS, servers too)", "MiB", memory, goal="≤ 350", reached=memory <= 350),
        Figure("a job starts on an idle system, median", "ms", waited, goal="≤ 50 ms", reached=waited <= 50),
        Figure("qikbiz tenant list", "s", command, goal="≤ 0.5 s", reached=command <= 0.5),
    ]


def _wait_for_page(port: int) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2):
            return
        time.sleep(0.02)
    raise RuntimeError("No page was served within two minutes.")


def _visit(port: int) -> None:
    """Some traffic, so that what a page needs is loaded."""
    for host in ("localhost", "acme.localhost", "console.localhost"):
        for path in PAGES * 25:
            request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Host": f"{host}:{port}"})
            with suppress(OSError), urllib.request.urlopen(request, timeout=10) as page:
                page.read()


def _wait_for_rest(up: subprocess.Popen[bytes]) -> None:
    """Until no process was begun or ended for a while: what came due at the start is done then."""
    until, quiet_since = time.monotonic() + 180, time.monotonic()
    before: set[int] = set()
    while time.monotonic() < min(until, quiet_since + SECONDS_TO_REST):
        now = {each.pid for each in psutil.Process(up.pid).children(recursive=True) if "postgres" not in each.name()}
        quiet_since = quiet_since if now == before else time.monotonic()
        before = now
        time.sleep(0.5)


def _pss(up: subprocess.Popen[bytes]) -> int:
    own = psutil.Process(up.pid)
    return sum(int(each.memory_full_info().pss) for each in (own, *own.children(recursive=True)))


def _seconds_until_jobs_start(played: Stage, jobs: int) -> float:
    """Milliseconds from the asking to the claim, the middle one; both are times of the same PostgreSQL."""
    from provisioning.application import working_application
    from qikbiz.jobs.actions import enqueue_platform
    from qikbiz.kernel.database import control_transaction

    took = []
    with working_application(played.settings):
        for number in range(jobs):
            with control_transaction():
                job = enqueue_platform("jobs.delete_old_platform", {}, dedupe_key=f"bench {number}").id
            took.append(_waited(played, str(job)))
            time.sleep(0.5)
    return statistics.median(took) * 1000


def _waited(played: Stage, job: str) -> float:
    until = time.monotonic() + 30
    with psycopg.connect(played.settings.control_url, autocommit=True) as control:
        while time.monotonic() < until:
            row = control.execute(
                "SELECT extract(epoch FROM started_at - created_at) FROM platform_jobs WHERE id = %s", (job,)
            ).fetchone()
            if row and row[0] is not None:
                return float(row[0])
            time.sleep(0.05)
    raise RuntimeError("A job did not start within half a minute.")


def _timed(*words: str, environment: object) -> float:
    began = time.perf_counter()
    done = subprocess.run(
        [QIKBIZ, *words, "--json"],
        env={**os.environ, **dict(environment)},
        cwd=ROOT,
        capture_output=True,
        check=True,  # type: ignore[call-overload]
    )
    took = time.perf_counter() - began
    json.loads(done.stdout)
    return took
