"""Which build of the program this is: the commit, and whether anything differs from it.

A wheel or an image carries `build.json`, which `hatch_build.py` writes when it is made. A clone asks git.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from subprocess import SubprocessError, run

ROOT = Path(__file__).resolve().parent.parent
PACKED = Path(__file__).with_name("build.json")
PROGRAM = ("platform", "tenants", "workers", "provisioning", "config")
_STARTED = time.time()


@dataclass(frozen=True, slots=True)
class Build:
    """`commit` is the full hash, "" when it is unknown. `is_dirty` says that files differ from that commit."""

    version: str
    commit: str = ""
    is_dirty: bool = False

    @property
    def words(self) -> str:
        """As a page names it, such as "0.1.0 (a05bcf2, with changes)"."""
        if not self.commit:
            return f"{self.version} (commit unknown)"
        return f"{self.version} ({self.commit[:7]}{', with changes' if self.is_dirty else ''})"

    def is_same_as(self, other: Build) -> bool:
        """Whether both are known to be the same program. A build with changes is never known to be."""
        return bool(self.commit) and self.commit == other.commit and not self.is_dirty and not other.is_dirty


@cache
def running_build() -> Build:
    """The build that this process runs."""
    if PACKED.exists():
        return read_build(json.loads(PACKED.read_text(encoding="utf-8")))
    found = build_of_clone(ROOT)
    # The process read its files when it started: later edits and pulls are not what runs.
    return Build(found.version, found.commit, found.is_dirty or _changed_since(_STARTED))


def read_build(record: Mapping[str, object]) -> Build:
    return Build(str(record["version"]), str(record["commit"]), bool(record["is_dirty"]))


def build_of_clone(root: Path) -> Build:
    """What git says about `root`. Files that git does not know count as changes, ignored ones do not."""
    commit = _git(root, "rev-parse", "HEAD")
    if not commit:
        return Build(program_version())
    status = _git(root, "status", "--porcelain")
    return Build(program_version(), commit.strip(), status is None or bool(status.strip()))


def program_version() -> str:
    """The version alone, such as "0.1.0"; "unreleased" when the program is not installed as a package."""
    try:
        return version("qikbiz-crm")
    except PackageNotFoundError:
        return "unreleased"


def packed(build: Build) -> str:
    """The text of `build.json`."""
    return json.dumps(asdict(build)) + "\n"


def _git(root: Path, *arguments: str) -> str | None:
    # The account that runs the program is seldom the owner of its files, which git otherwise refuses to read.
    command = ["git", "-c", f"safe.directory={root}", "-c", "core.fsmonitor=false", "-C", str(root), *arguments]
    try:
        done = run(command, capture_output=True, text=True, check=False, timeout=10)
    except (OSError, SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None


def _changed_since(moment: float) -> bool:
    files = (file for folder in PROGRAM for file in (ROOT / folder).rglob("*.py"))
    return any(file.stat().st_mtime > moment for file in files)
