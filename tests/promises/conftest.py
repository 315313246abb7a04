"""A clone of a small program, as git keeps it."""

from __future__ import annotations

from pathlib import Path
from subprocess import run

import pytest


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    folder = tmp_path / "clone"
    folder.mkdir()
    (folder / "program.py").write_text("x = 1\n")
    (folder / ".gitignore").write_text("ignored\n")
    author = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
    for command in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "Begin"]):
        run(["git", *command], cwd=folder, check=True)
    return folder
