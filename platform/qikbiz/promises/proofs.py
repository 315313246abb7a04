"""What the tests said when they were last run: `proofs.json`, which `make proofs` writes.

The file is a record and no claim of its own: a test that failed, or was left out, stands in it as that.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Literal

FILE = Path(__file__).parent / "proofs.json"
Outcome = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Proof:
    """One test. `green_at` and `green_version` are its last run that passed, None and "" when there was none."""

    file: str
    sentence: str
    outcome: Outcome
    green_at: datetime | None
    green_version: str

    @property
    def is_green(self) -> bool:
        return self.outcome == "passed"


@dataclass(frozen=True, slots=True)
class Proofs:
    """The last run, and the tests behind each promise. `at` is None when no run was ever recorded."""

    at: datetime | None
    version: str
    behind: dict[str, tuple[Proof, ...]]

    @property
    def tests(self) -> frozenset[Proof]:
        return frozenset(proof for several in self.behind.values() for proof in several)


NOTHING = Proofs(None, "", {})


@cache
def recorded_proofs() -> Proofs:
    return read_proofs(FILE)


def read_proofs(file: Path) -> Proofs:
    """What `file` records; nothing at all when it is missing."""
    if not file.exists():
        return NOTHING
    record = json.loads(file.read_text(encoding="utf-8"))
    behind: dict[str, tuple[Proof, ...]] = {}
    for test in record["tests"]:
        for number in test["promises"]:
            behind[number] = (*behind.get(number, ()), _proof(test))
    return Proofs(datetime.fromisoformat(record["at"]), record["version"], behind)


def _proof(test: dict[str, str]) -> Proof:
    green_at = datetime.fromisoformat(test["green_at"]) if test["green_at"] else None
    outcome: Outcome = "passed" if test["outcome"] == "passed" else "skipped"
    if test["outcome"] not in ("passed", "skipped"):
        outcome = "failed"
    return Proof(test["file"], test["sentence"], outcome, green_at, test["green_version"])
