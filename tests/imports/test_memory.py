"""A large file in little memory: what an import uses does not grow with its rows."""

from __future__ import annotations

import os
import resource
from pathlib import Path

from qikbiz.kernel.database import runtime
from qikbiz.transfer.imports import actions
from qikbiz.transfer.imports.queries import import_for_changing
from tests.imports.harness import ImportHarness
from workers.run_job import perform

ROWS = 100_000
LIMIT = 150 * 1024


def written(path: Path) -> bytes:
    with path.open("w") as file:
        file.write("Name,E-mail,Phone,Company,City,Country\n")
        for n in range(ROWS):
            file.write(f"Ann Lee{n},ann{n}@example{n % 50}.com,+49 30 {1_000_000 + n},Company {n % 999},Graz,Austria\n")
    return path.read_bytes()


def peak_of(import_harness: ImportHarness, import_id: object) -> int:
    """KiB that a fresh process needs at most for the job that waits."""
    job_id = import_harness.found(import_id).job_id  # type: ignore[arg-type]
    assert job_id is not None
    child = os.fork()
    if child == 0:
        with import_harness.app.app_context():
            runtime().after_fork()
            perform(import_harness.tenant.id, job_id)
        os._exit(0)
    _, status, used = os.wait4(child, 0)
    assert status == 0
    return used.ru_maxrss


def test_a_hundred_thousand_rows_stay_under_150_mib(import_harness: ImportHarness, tmp_path: Path) -> None:
    import_id = import_harness.upload(written(tmp_path / "many.csv"))
    import_harness.choose(import_id)
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for ask in (actions.ask_check, actions.ask_apply, actions.ask_undo):
        with import_harness.at_work():
            ask(import_for_changing(import_id))
        # The test's own process is large already; what counts is what the job adds to a worker of 75 MiB.
        assert peak_of(import_harness, import_id) - base + 75 * 1024 < LIMIT
    found = import_harness.found(import_id)
    assert (found.state, found.counts["created"], found.undo_counts["reversed"]) == ("undone", ROWS, ROWS)
