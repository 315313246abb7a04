"""What a customer's data is beside the tables of its own schema: kept by the platform, and exported with everything.

A supplier gives its files as rows; they are written, listed and checked like any other file of the export.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from qikbiz.transfer.exports.archive import NEWLINE, Archive, heading_line
from qikbiz.transfer.exports.contributions import BesideFile, Values, files_beside
from qikbiz.transfer.exports.formula_escape import FIRST_CHARACTERS

TEXT = "text"


@dataclass(frozen=True)
class BesideReport:
    """The file as it was written, as the manifest describes it."""

    file: BesideFile
    rows: int
    bytes: int
    sha256: str
    formula_cells: dict[str, int]

    @property
    def table_name(self) -> str:
        return self.file.name

    def described(self) -> dict[str, object]:
        return {
            "name": f"{self.file.name}.csv",
            "table": self.file.name,
            "rows": self.rows,
            "bytes": self.bytes,
            "sha256": self.sha256,
            "columns": [{"name": name, "heading": name, "type": kind} for name, kind in self.file.columns],
            "formula_cells": self.formula_cells,
        }


def write_beside(tenant_id: UUID, archive: Archive, before_table: Callable[[str], None]) -> list[BesideReport]:
    """Write every such file. `before_table` may raise to stop."""
    reports = []
    for file in files_beside(tenant_id):
        before_table(file.name)
        reports.append(_write(file, archive))
    return reports


def _write(file: BesideFile, archive: Archive) -> BesideReport:
    count, formulas = 0, {name: 0 for name, kind in file.columns if kind == TEXT}
    with archive.member(f"{file.name}.csv") as member:
        member.write(heading_line(name for name, _ in file.columns))
        for row in file.rows:
            member.write(_line(row))
            count += 1
            for (name, kind), value in zip(file.columns, row, strict=True):
                if kind == TEXT and value and value[0] in FIRST_CHARACTERS:
                    formulas[name] += 1
    found = {name: cells for name, cells in formulas.items() if cells}
    return BesideReport(file, count, member.size, member.sha256, found)


def _line(row: Values) -> bytes:
    cells = ("" if value is None else '"' + value.replace('"', '""') + '"' for value in row)
    return ",".join(cells).encode() + NEWLINE
