"""The versions of the statement that this program brings along, one file each.

A file only proposes: what is served is what was announced, word for word out of the database. So a file that was
changed afterwards changes nothing; it is found out and told (`altered_files`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from qikbiz.trust.privacy.business_days import earliest_effective_day
from qikbiz.trust.privacy.text import StatementFile, StatementRefused, read_file
from qikbiz.web.formats import day

FOLDER = Path(__file__).parent / "statements"


@dataclass(frozen=True)
class Bundled:
    """What the folder holds. `refused` are files that are not loaded: (name, why)."""

    statements: tuple[StatementFile, ...]
    refused: tuple[tuple[str, str], ...] = ()

    def version(self, number: int) -> StatementFile | None:
        return next((file for file in self.statements if file.version == number), None)


@cache
def founding_statement() -> StatementFile:
    """Version 1, which was there from the first day and so had nothing to be announced beside."""
    return read_file((FOLDER / "1.md").read_text(encoding="utf-8"))


def bundled_statements(countries: tuple[str, ...], folder: Path | None = None) -> Bundled:
    """Read every file, refusing those that are no statement or would take effect too early."""
    found: list[StatementFile] = []
    refused: list[tuple[str, str]] = []
    for path in sorted((folder or FOLDER).glob("*.md"), key=lambda path: path.stem.zfill(6)):
        try:
            found.append(load_file(path, countries, found))
        except (StatementRefused, UnicodeDecodeError) as error:
            refused.append((path.name, str(error)))
    return Bundled(tuple(found), tuple(refused))


def load_file(path: Path, countries: tuple[str, ...], before: Sequence[StatementFile] = ()) -> StatementFile:
    """Raises StatementRefused, also for a version that leaves less than thirty business days after its announcement.

    One is not material only if its reader sees the very same text as in the newest of `before`, as for the notary.
    """
    file = read_file(path.read_text(encoding="utf-8"))
    if path.stem != str(file.version):
        raise StatementRefused(f"It says that it is version {file.version}; name it {file.version}.md.")
    if file.version > 1:
        if not file.material and (not before or before[-1].text.blocks != file.text.blocks):
            raise StatementRefused("It changes what readers see, so it is material, whatever it says.")
        earliest = earliest_effective_day(file.announced_on, countries, 30 if file.material else 0)
        if file.effective_on < earliest:
            raise StatementRefused(
                f"Announced on {day(file.announced_on)}, it can take effect on {day(earliest)} at the earliest, "
                f"not on {day(file.effective_on)}."
            )
    return file


def altered_files(statements: Iterable[StatementFile], announced: dict[int, str]) -> list[int]:
    """The versions whose file has other words than what was announced. `announced` is version → SHA-256."""
    return [file.version for file in statements if announced.get(file.version, file.text.sha256) != file.text.sha256]
