"""A large file is converted by two processes at once; what is staged is the same, and a dead one is noticed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from qikbiz.kernel.database import db
from qikbiz.transfer.imports import parallel_convert
from qikbiz.transfer.imports.csv_dialect import UnreadableFile
from qikbiz.transfer.imports.import_context import plan_of, source_of
from qikbiz.transfer.imports.models import Import, ImportRow
from qikbiz.transfer.imports.parallel_convert import SecondReaderGone
from tests.imports.harness import ImportHarness, csv_text

HEADER = ["First name", "Last name", "Email", "Phone", "Notes"]
# Blocks end after a thousand rows, or earlier where the rows are long: there are both here, and rows to refuse.
ROWS = [
    ["Ann", f"Lee {number}", f"ann{number}@example.com" if number % 7 else "no address", "+49 30 1234567", "x\ny" * 9]
    for number in range(4_500)
] + [["Bo", "Long", f"bo{number}@example.com", "", "z" * 20_000] for number in range(150)]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Every second process started; any file is large enough for one."""
    monkeypatch.setattr(parallel_convert, "WORTH_IT", 0)
    processes: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def popen(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        processes.append(real(*arguments, **options))
        return processes[-1]

    monkeypatch.setattr("qikbiz.transfer.imports.parallel_convert.subprocess.Popen", popen)
    yield processes
    assert all(process.poll() is not None for process in processes)


def uploaded(import_harness: ImportHarness, text: str) -> UUID:
    import_id = import_harness.upload(text)
    import_harness.choose(import_id)
    return import_id


def staged(import_harness: ImportHarness, import_id: UUID) -> list[tuple[Any, ...]]:
    columns = [column for name, column in ImportRow.__table__.c.items() if name != "import_id"]
    with import_harness.at_work():
        query = select(*columns).where(ImportRow.import_id == import_id).order_by(ImportRow.row)
        return [tuple(row) for row in db.session.execute(query)]


def test_two_processes_stage_what_one_does(
    import_harness: ImportHarness, started: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = uploaded(import_harness, csv_text(HEADER, ROWS))
    counts = import_harness.check(import_id)
    assert len(started) == 1
    assert [counts[name] for name in ("rows", "created", "invalid", "skipped_cells")] == [4_650, 4_007, 643, 0]
    by_two = staged(import_harness, import_id)
    monkeypatch.setattr(parallel_convert, "WORTH_IT", 1 << 40)
    import_harness.check(import_id)
    assert len(started) == 1
    assert staged(import_harness, import_id) == by_two


def test_a_second_process_that_dies_stops_the_check_and_leaves_nothing(
    import_harness: ImportHarness, started: list[subprocess.Popen[bytes]]
) -> None:
    import_id = uploaded(import_harness, csv_text(HEADER, ROWS))

    def kill(done: int, _total: int | None, _what: str) -> None:
        if done:
            started[0].kill()

    import_harness.watch = kill
    # Twenty blocks are more than the pipe holds, so it can't have been done before it was killed.
    with pytest.raises(SecondReaderGone):
        import_harness.check(import_id)
    assert staged(import_harness, import_id) == []
    with import_harness.at_work():
        assert db.session.get_one(Import, import_id).state == "mapped"


def test_a_file_that_breaks_in_the_middle_is_refused_as_by_one_process(
    import_harness: ImportHarness, started: list[subprocess.Popen[bytes]]
) -> None:
    import_id = uploaded(import_harness, csv_text(HEADER, ROWS[:2_500]) + 'Eve,"never closed')
    with pytest.raises(UnreadableFile, match="never closed"):
        import_harness.check(import_id)
    assert len(started) == 1


def test_the_key_of_the_file_is_no_argument_of_the_process(
    import_harness: ImportHarness, started: list[subprocess.Popen[bytes]]
) -> None:
    import_id = uploaded(import_harness, csv_text(HEADER, ROWS[:10]))
    with import_harness.at_work():
        found = db.session.get_one(Import, import_id)
        with parallel_convert.second_reader(plan_of(found), source_of(found), import_id):
            program = ["-m", "qikbiz.app.second_process", "qikbiz.transfer.imports.second_process:main"]
            assert [process.args for process in started] == [[sys.executable, *program]]
