"""The versions of the statement that this program brings along, one file each."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from qikbiz.privacy.text import StatementFile, read_file

FOLDER = Path(__file__).parent / "statements"


@cache
def founding_statement() -> StatementFile:
    """Version 1, which was there from the first day and so had nothing to be announced beside."""
    return read_file((FOLDER / "1.md").read_text(encoding="utf-8"))
