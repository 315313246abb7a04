"""What lies in the zip beside the tables: the manifest, a text to read first, and a checker that needs only Python."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from config.build import program_version
from qikbiz.transfer.exports.beside import BesideReport
from qikbiz.transfer.exports.catalogue import EVERYTHING, EXCLUDED_TABLES, EXPORTED, excluded_columns_of
from qikbiz.transfer.exports.formula_escape import ESCAPE_RULE
from qikbiz.transfer.exports.selection import PORTABLE, SPREADSHEET, Selection
from qikbiz.transfer.exports.sources import Source
from tenants.context import Tenant

FORMAT, FORMAT_VERSION = "qikbiz-export", 1
MANIFEST = "manifest.json"
NULLS = 'An empty cell without quotes is no value (NULL); "" is an empty text.'
SPREADSHEET_NULLS = "An empty cell without quotes is no value."
# What Excel and LibreOffice show of one file, the heading taken off.
MOST_SHEET_ROWS = 1_048_575
NOT_IN_SPREADSHEETS = "Only in the portable export."


@dataclass(frozen=True)
class FileReport:
    """One table as it was written. `formula_cells` counts, per column, cells that begin like a formula."""

    source: Source
    rows: int
    bytes: int
    sha256: str
    formula_cells: dict[str, int]

    @property
    def table_name(self) -> str:
        return self.source.table.name

    def described(self) -> dict[str, object]:
        pairs = zip(self.source.columns, self.source.headings, strict=True)
        types = self.source.table.type_of
        return {
            "name": self.source.file_name,
            "table": self.source.table.name,
            "rows": self.rows,
            "bytes": self.bytes,
            "sha256": self.sha256,
            "columns": [{"name": name, "heading": heading, "type": types(name)} for name, heading in pairs],
            "formula_cells": self.formula_cells,
        }


Report = FileReport | BesideReport


def manifest_text(
    tenant: Tenant, selection: Selection, moment: datetime, reports: Sequence[Report], about: Mapping[str, object]
) -> tuple[dict[str, object], str]:
    """The manifest, and as the text that goes into the zip."""
    is_portable = selection.product == PORTABLE
    manifest = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "product": selection.product,
        "scope": selection.scope,
        "filters": dict(selection.filters or {}),
        "organisation": {"id": str(tenant.id), "slug": tenant.slug, "name": tenant.name},
        **about,
        "snapshot_at": moment.isoformat(),
        "program_version": program_version(),
        "schema_version": tenant.version,
        "encoding": "UTF-8" if is_portable else "UTF-8 with byte order mark",
        "delimiter": ",",
        "newline": "CRLF",
        "time_zone": "UTC" if is_portable else selection.zone.key,
        "nulls": NULLS if is_portable else SPREADSHEET_NULLS,
        "escape": None if is_portable else ESCAPE_RULE,
        "files": [report.described() for report in reports],
        "left_out": _left_out(selection, {report.table_name for report in reports}),
        "totals": {
            "files": len(reports),
            "rows": sum(report.rows for report in reports),
            "bytes": sum(report.bytes for report in reports),
            "formula_cells": sum(sum(report.formula_cells.values()) for report in reports),
        },
    }
    return manifest, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"


def explanation(manifest: dict[str, Any]) -> str:
    """OPEN-ME-FIRST.txt."""
    lines = [f"{file['name']:<32} {file['rows']:>12,} rows" for file in manifest["files"]]
    words = _SPREADSHEET_WORDS if manifest["product"] == SPREADSHEET else _PORTABLE_WORDS
    head = _HEAD.format(name=manifest["organisation"]["name"], moment=manifest["snapshot_at"])
    words = words.format(formula_cells=f"{manifest['totals']['formula_cells']:,}")
    if manifest["product"] == SPREADSHEET:
        lines += [_TOO_LONG.format(**file) for file in manifest["files"] if file["rows"] > MOST_SHEET_ROWS]
    return "\r\n".join([*head.splitlines(), *lines, "", *words.splitlines(), *_CHECK.splitlines(), ""])


def verifier() -> str:
    """verify.py, the same file that this program uses itself."""
    return Path(__file__).with_name("verify.py").read_text(encoding="utf-8")


def _left_out(selection: Selection, written: set[str]) -> dict[str, dict[str, str]]:
    """Tables and columns that are not in the file, each with the reason."""
    columns = {f"{table}.{name}": why for table in sorted(written) for name, why in excluded_columns_of(table).items()}
    if selection.scope != EVERYTHING:
        return {"tables": {"*": f"Only {selection.scope} were requested."}, "columns": columns}
    others = {table.name: NOT_IN_SPREADSHEETS for table in EXPORTED if table.name not in written}
    return {"tables": dict(sorted((EXCLUDED_TABLES | others).items())), "columns": columns}


_TOO_LONG = "{name} has more rows than a spreadsheet shows. Export the list in parts, by a filter."
_HEAD = """\
Export of {name}
Snapshot time: {moment}

"""
_PORTABLE_WORDS = """\
This is the PORTABLE export: every value exactly as it was stored. It is made to be read by programs.

Do not open these files by a double click: {formula_cells} of the cells begin with a character that a spreadsheet may
take for a formula, and a spreadsheet changes telephone numbers, dates and long numbers on its own. To look at the
data in a spreadsheet, ask for the spreadsheet export, or use the spreadsheet's own import and choose "text" for all
columns.

The files are UTF-8, separated by commas, one line ends with CR LF (RFC 4180). An empty cell without quotes is nothing
at all; "" is an empty text. Lists are JSON. Times are UTC. manifest.json names every column with its type, and says
what is not in the export and why.

"""
_SPREADSHEET_WORDS = """\
This is the SPREADSHEET export: made to be opened in Excel, LibreOffice or Numbers.

A text that a spreadsheet could take for a formula has an apostrophe in front of it, and so has a text that begins with
an apostrophe. Take one apostrophe off a text that begins with one, and you have the text as it was kept (rule
"apostrophe-v1"). Numbers, dates and times are written plainly. To move the data to another program, ask for the
portable export instead.

"""
_CHECK = """\
To check that nothing was changed or lost on the way, with any Python from 3.8 on:
    python verify.py
"""
