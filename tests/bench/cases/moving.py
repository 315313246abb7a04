"""A million contacts in and out: our import beside COPY alone, our export beside psql's \\copy, and the memory."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from pathlib import Path

import psutil

from tests.bench.report import Figure
from tests.bench.sample import HEADER, write_csv
from tests.bench.stage import BUILD, Stage, our_web, our_workers, postgres_program
from tests.bench.tenants import schema_of, tenant_with_user

MEMORY_LIMIT = 150.0


class Memory:
    """Watches a process and its children; `peak` is the largest resident size of one of them, in MiB."""

    def __init__(self, process_id: int) -> None:
        self._process = psutil.Process(process_id)
        self._ended = threading.Event()
        self.peak = 0.0
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.1):
            for process in [self._process, *self._children()]:
                try:
                    self.peak = max(self.peak, process.memory_info().rss / 2**20)
                except psutil.NoSuchProcess:
                    continue

    def _children(self) -> list[psutil.Process]:
        try:
            return self._process.children(recursive=True)
        except psutil.NoSuchProcess:
            return []


def measure_moving(played: Stage, *, rows: int) -> list[Figure]:
    """Import `rows` contacts into an empty tenant, then export them again."""
    tenant_with_user(played, "moving")
    file = write_csv(BUILD / f"people-{rows}.csv", rows)
    with our_web(played), our_workers(played, "imports", "exports", "mail") as ids:
        time.sleep(3)
        figures = _import(played, file, rows, ids["imports"])
        figures += _export(played, rows, ids["exports"])
    return figures


def _import(played: Stage, file: Path, rows: int, worker: int) -> list[Figure]:
    words = ("import", "--tenant", "moving", "--type", "contacts", "--key", "email", "--mode", "upsert")
    with Memory(worker) as memory:
        began = time.perf_counter()
        done = json.loads(played.qikbiz(*words, "--instruction", "Bench", "--json", str(file)))
        seconds = time.perf_counter() - began
    if done["created"] != rows:
        raise RuntimeError(f"The import made {done}")
    seconds_goal = 60 * rows / 1_000_000
    return [
        Figure(
            f"import {rows:,} contacts", "s", seconds, _copy_alone(played, file), "COPY alone",
            f"≤ {seconds_goal:.0f} s", seconds <= seconds_goal, notes={"reported_seconds": done["seconds"]},
        ),
        Figure("import worker's memory", "MiB", memory.peak, None, "", "< 150 MiB", memory.peak < MEMORY_LIMIT),
    ]  # fmt: skip


def _copy_alone(played: Stage, file: Path) -> float:
    columns = ", ".join(f"c{number} text" for number in range(len(HEADER)))
    with played.superuser() as connection:
        connection.execute("DROP TABLE IF EXISTS bare")
        connection.execute(f"CREATE TABLE bare ({columns})".encode())
        began = time.perf_counter()
        with file.open("rb") as source, connection.cursor().copy(b"COPY bare FROM STDIN (FORMAT csv, HEADER)") as copy:
            while block := source.read(1 << 16):
                copy.write(block)
        return time.perf_counter() - began


def _export(played: Stage, rows: int, worker: int) -> list[Figure]:
    output = BUILD / "moving.zip"
    output.unlink(missing_ok=True)
    # As autovacuum leaves it after a minute. Else the first reader, ours, also does the cleaning that the import left.
    with played.superuser("qikbiz_tenants") as connection:
        connection.execute(f"VACUUM (ANALYZE) {schema_of(played, 'moving')}.contacts".encode())
    words = ("export", "--tenant", "moving", "--type", "contacts", "--instruction", "Bench", "--json")
    with Memory(worker) as memory:
        began = time.perf_counter()
        done = json.loads(played.qikbiz(*words, "--output", str(output)))
        seconds = time.perf_counter() - began
    if sum(file["rows"] for file in done["files"] if file["name"].startswith("contacts")) != rows:
        raise RuntimeError(f"The export gave {done}")
    figure = Figure(
        f"export {rows:,} contacts", "s", seconds, _psql_copy(played), "psql \\copy", "≤ 1.5× its time",
        notes={"reported_seconds": done["seconds"], "zip_bytes": output.stat().st_size},
    )  # fmt: skip
    figure.reached = seconds <= 1.5 * (figure.peer or 0)
    return [
        figure,
        Figure("export worker's memory", "MiB", memory.peak, None, "", "< 150 MiB", memory.peak < MEMORY_LIMIT),
    ]


def _psql_copy(played: Stage) -> float:
    target = BUILD / "copied.csv"
    query = f"\\copy (SELECT * FROM {schema_of(played, 'moving')}.contacts ORDER BY id) TO '{target}' CSV HEADER"
    began = time.perf_counter()
    url = played.postgres.url("postgres", "qikbiz_tenants")
    subprocess.run([postgres_program("psql"), "-X", "-q", url, "-c", query], check=True, capture_output=True)
    return time.perf_counter() - began
