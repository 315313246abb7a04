"""`pytest -m promise` ends with a table of promises, and a run can be recorded; both say what did not pass."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from qikbiz.privacy.text import NUMBERS
from qikbiz.promises.proofs import NOTHING, read_proofs
from tests.fixtures.promises import Proven, record_of, table

ROOT = Path(__file__).parents[2]
EXAMPLE = """
import pytest

@pytest.mark.promise("P8")
@pytest.mark.parametrize("case", [1, 2])
def test_a_wall_stands(case): assert case == 1

@pytest.mark.promise("P8")
@pytest.mark.promise("P12")
def test_a_door_is_shut(): pass

def test_of_something_else(): pass
"""
CONFTEST = 'pytest_plugins = ["tests.fixtures.promises"]\n'


def run_example(folder: Path, source: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_example.py").write_text(source)
    command = [sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), f"--rootdir={folder}", *arguments]
    return subprocess.run([*command, str(folder)], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_the_table_names_each_promise_with_its_tests_and_their_outcome(
    tmp_path: Path, workers: tuple[str, ...]
) -> None:
    out = run_example(tmp_path, EXAMPLE, "-m", "promise", *workers).stdout
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert "P8 1 of 2 passed" in lines
    assert "failed test_example.py a wall stands" in lines
    assert "passed test_example.py a door is shut" in lines
    assert "P12 1 of 1 passed" in lines
    assert "P1 no test behind it" in lines
    assert [line.split()[0] for line in lines if line.split()[:1] and line.split()[0] in NUMBERS] == list(NUMBERS)
    assert "something else" not in out


def test_other_runs_print_no_table(tmp_path: Path) -> None:
    assert "promises of the statement" not in run_example(tmp_path, EXAMPLE).stdout


def test_a_marker_that_is_no_promise_stops_the_run(tmp_path: Path) -> None:
    done = run_example(tmp_path, EXAMPLE.replace("P12", "P21"))
    assert done.returncode != 0
    assert "promises are P1 to P20" in done.stdout + done.stderr


def test_a_record_keeps_when_a_failing_test_was_last_green(tmp_path: Path) -> None:
    wall = Proven("tests/test_x.py", "test_a_wall_stands", ("P8",), ["passed"])
    then, now = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)
    first = record_of([wall], [], at=then, version="1.0")
    wall.outcomes = ["passed", "failed"]
    second = record_of([wall], first["tests"], at=now, version="1.1")
    [test] = second["tests"]
    assert (test["outcome"], test["green_at"], test["green_version"]) == ("failed", then.isoformat(), "1.0")
    assert second["version"] == "1.1"


def test_a_missing_record_proves_nothing(tmp_path: Path) -> None:
    assert read_proofs(tmp_path / "proofs.json") == NOTHING


def test_a_test_with_a_skipped_case_is_not_shown_as_passed() -> None:
    assert "skipped" in table([Proven("tests/test_x.py", "test_x", ("P1",), ["passed", "skipped"])])[1]
