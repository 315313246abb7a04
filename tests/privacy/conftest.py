"""A second version of the statement, as a file that waits to be announced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from qikbiz.trust.privacy import bundled_versions
from qikbiz.trust.privacy.business_days import earliest_effective_day
from tests.fixtures.statements import MONDAY, changed_text

HEAD = "---\nversion: {}\nmaterial: {}\nannounced_on: {}\neffective_on: {}\n---\n\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder from which the program reads its versions; it has version 1 so far."""
    (tmp_path / "1.md").write_text((bundled_versions.FOLDER / "1.md").read_text())
    bundled_versions.founding_statement()
    monkeypatch.setattr(bundled_versions, "FOLDER", tmp_path)
    return tmp_path


@pytest.fixture
def put_version(folder: Path) -> Iterator[Callable[..., Path]]:
    """A function that writes a version's file: put_version(2, body, days_early=1)."""

    def put(version: int = 2, body: str | None = None, *, material: str = "true", days_early: int = 0) -> Path:
        effective = earliest_effective_day(MONDAY.date(), ("US", "DE", "GB")) - timedelta(days=days_early)
        path = folder / f"{version}.md"
        path.write_text(HEAD.format(version, material, MONDAY.date(), effective) + (body or changed_text()))
        return path

    return put
