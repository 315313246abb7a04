"""Which build runs and which one was tested: equal only when both are the same commit and nothing differs from it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from config import build
from config.build import Build, build_of_clone, packed, read_build

ROOT = Path(__file__).parents[2]


def test_a_clone_names_its_commit_and_whether_anything_differs(clone: Path) -> None:
    clean = build_of_clone(clone)
    assert len(clean.commit) == 40 and not clean.is_dirty
    (clone / "ignored").write_text("not in the repository\n")
    assert build_of_clone(clone) == clean
    (clone / "new.py").write_text("x = 1\n")
    assert build_of_clone(clone) == Build(clean.version, clean.commit, is_dirty=True)


def test_without_git_the_commit_is_unknown(tmp_path: Path) -> None:
    found = build_of_clone(tmp_path)
    assert found.commit == "" and found.words.endswith("(commit unknown)")


@pytest.mark.parametrize(
    ("running", "tested", "same"),
    [
        (Build("1", "a"), Build("1", "a"), True),
        (Build("1", "a"), Build("1", "b"), False),
        (Build("1", "a", is_dirty=True), Build("1", "a"), False),
        (Build("1", "a"), Build("1", "a", is_dirty=True), False),
        # The same commit with changes may be two different programs.
        (Build("1", "a", is_dirty=True), Build("1", "a", is_dirty=True), False),
        (Build("1"), Build("1"), False),
    ],
)
def test_two_builds_are_the_same_only_when_both_are_known_to_be(running: Build, tested: Build, same: bool) -> None:
    assert running.is_same_as(tested) is same


def test_a_file_changed_after_the_start_is_not_what_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "build_of_clone", lambda root: Build("1", "a"))
    monkeypatch.setattr(build, "_STARTED", 2e10)
    build.running_build.cache_clear()
    assert not build.running_build().is_dirty
    monkeypatch.setattr(build, "_STARTED", 0.0)
    build.running_build.cache_clear()
    assert build.running_build().is_dirty
    build.running_build.cache_clear()


def test_a_packed_build_is_read_back() -> None:
    made = Build("1.0", "c" * 40, is_dirty=True)
    assert read_build(json.loads(packed(made))) == made


def test_a_wheel_carries_its_commit_and_the_results_and_the_pages_files(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
        record = read_build(json.loads(archive.read("config/build.json")))
    expected = build_of_clone(ROOT)
    assert (record.commit, record.version) == (expected.commit, expected.version)
    assert "qikbiz/web/static/dist/manifest.json" in names
    results = ROOT / "platform" / "qikbiz" / "trust" / "promises" / "test_results.json"
    assert ("qikbiz/trust/promises/test_results.json" in names) is results.exists()
