"""What the tests behind the promises said when they were last run: `test_results.json`, written by a whole run.

The file is made by `make test` or `make proofs`, is not in the repository and travels in the wheel. It names the build
that was tested: results of another build are shown as that.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal

from config.build import Build, read_build

FILE = Path(__file__).parent / "test_results.json"
Outcome = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class TestResult:
    """One test: its file, its sentence, and how its last run ended."""

    __test__ = False  # no test of pytest's

    file: str
    sentence: str
    outcome: Outcome

    @property
    def has_passed(self) -> bool:
        return self.outcome == "passed"


@dataclass(frozen=True, slots=True)
class TestRun:
    """The last whole run, and its tests by the number of the promise. `at` is None when there was none."""

    __test__ = False

    at: datetime | None
    build: Build | None
    behind: dict[str, tuple[TestResult, ...]]

    @property
    def tests(self) -> frozenset[TestResult]:
        return frozenset(test for several in self.behind.values() for test in several)

    def is_of(self, running: Build) -> bool:
        """Whether exactly this build was tested."""
        return self.build is not None and self.build.is_same_as(running)


NO_RUN = TestRun(None, None, {})


def last_run() -> TestRun:
    """The recorded run, read again when a new one was written."""
    return _read_at(FILE, FILE.stat().st_mtime_ns) if FILE.exists() else NO_RUN


@lru_cache(maxsize=1)
def _read_at(file: Path, changed_at: int) -> TestRun:
    return read_run(file)


def read_run(file: Path) -> TestRun:
    """What `file` records; `NO_RUN` when it is missing."""
    if not file.exists():
        return NO_RUN
    record = json.loads(file.read_text(encoding="utf-8"))
    behind: dict[str, tuple[TestResult, ...]] = {}
    for test in record["tests"]:
        for number in test["promises"]:
            behind[number] = (*behind.get(number, ()), _result(test))
    return TestRun(datetime.fromisoformat(record["at"]), read_build(record["build"]), behind)


def _result(test: dict[str, str]) -> TestResult:
    # An outcome that this program does not know is no pass.
    outcome: Outcome = "failed"
    if test["outcome"] == "passed":
        outcome = "passed"
    elif test["outcome"] == "skipped":
        outcome = "skipped"
    return TestResult(test["file"], test["sentence"], outcome)
