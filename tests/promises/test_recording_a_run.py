"""`pytest -m promise` ends with a table of promises, and a whole run can be kept; both say what did not pass."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.build import Build
from qikbiz.trust.privacy.text import NUMBERS
from qikbiz.trust.promises.test_results import NO_RUN, read_run
from tests.fixtures.promises import Promises, Proven, is_whole, record_of, table

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 1, tzinfo=UTC)
CLEAN = Build("1.0", "a" * 40)
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
    command = [sys.executable, "-m", "pytest", "-p", "xdist", "-c", str(ROOT / "pyproject.toml")]
    command += [f"--rootdir={folder}", *arguments, str(folder)]
    # Without the plugins that the example doesn't use, which take two seconds of each process.
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


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


def test_a_record_names_the_build_and_how_each_test_ended(tmp_path: Path) -> None:
    wall = Proven("tests/test_x.py", "test_a_wall_stands", ("P8", "P12"), ["passed", "failed"])
    file = tmp_path / "results.json"
    file.write_text(json.dumps(record_of([wall], at=NOW, build=CLEAN)))
    run = read_run(file)
    assert (run.at, run.build) == (NOW, CLEAN)
    assert [(test.sentence, test.outcome) for test in run.behind["P8"]] == [("a wall stands", "failed")]
    assert run.behind["P12"] == run.behind["P8"] and set(run.behind) == {"P8", "P12"}


def test_an_outcome_that_nobody_knows_is_no_pass(tmp_path: Path) -> None:
    wall = Proven("tests/test_x.py", "test_a_wall_stands", ("P8",), ["passed"])
    record = record_of([wall], at=NOW, build=CLEAN)
    record["tests"][0]["outcome"] = "xpassed"
    (tmp_path / "results.json").write_text(json.dumps(record))
    assert read_run(tmp_path / "results.json").behind["P8"][0].outcome == "failed"


def test_without_a_record_there_was_no_run(tmp_path: Path) -> None:
    assert read_run(tmp_path / "results.json") == NO_RUN


@pytest.mark.parametrize(
    ("arguments", "whole"),
    [
        ([], True),
        (["-m", "promise"], True),
        (["-m", "not browser"], False),
        (["-k", "wall"], False),
        (["-x"], False),
        (["tests/promises"], False),
        (["--ignore", "tests/browser"], False),
        (["--deselect", "tests/promises"], False),
    ],
)
def test_only_a_whole_run_is_kept(arguments: list[str], whole: bool) -> None:
    assert is_whole(_config(arguments)) is whole


def _config(arguments: list[str]) -> pytest.Config:
    from _pytest.config import get_config

    config = get_config()
    config.parse(["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(ROOT), *arguments])
    return config


def test_a_run_that_was_broken_off_leaves_the_last_results(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    file.write_text("kept")
    words = Promises(write_to=file, clone=tmp_path)._write(file, pytest.ExitCode.INTERRUPTED)
    assert file.read_text() == "kept" and "broken off" in words


def test_results_of_files_that_changed_meanwhile_are_those_of_no_commit(clone: Path, tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    kept = Promises(write_to=file, clone=clone)
    kept._write(file, pytest.ExitCode.OK)
    before = read_run(file).build
    assert before is not None and not before.is_dirty
    (clone / "program.py").write_text("x = 2\n")
    kept._write(file, pytest.ExitCode.OK)
    after = read_run(file).build
    assert after == Build(before.version, before.commit, is_dirty=True)


def test_a_test_with_a_skipped_case_is_not_shown_as_passed() -> None:
    assert "skipped" in table([Proven("tests/test_x.py", "test_x", ("P1",), ["passed", "skipped"])])[1]
