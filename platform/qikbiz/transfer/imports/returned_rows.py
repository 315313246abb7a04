"""Rows of a file that an earlier import gave back: as long as nobody changed them they are refused again.

A row that others can't be told from, or that is no whole row, carries its line as it was. Where its cells still are
those of that line it would do what was refused before, such as overwrite the person of another row.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence

REASON_COLUMN = "Why it was not imported"
SKIPPED_COLUMN = "Cells that were skipped"
LINE_COLUMN = "The line as it was"
# None of them is ever a field.
COLUMNS = (REASON_COLUMN, SKIPPED_COLUMN, LINE_COLUMN)
# The mark of a problem that the row itself does not show, such as that an earlier row has the same key.
KEEPS_LINE = "keeps_line"
UNCHANGED = "Nothing was changed in this row."
HOW_TO_FIX = f"Correct its cells; or empty the cell under “{LINE_COLUMN}” to import the row as it is."
_DELIMITERS = ",;\t|"
_LEADING_ZEROS = re.compile(r"^0+(?=\d)")


def own_width(header: Sequence[str]) -> int:
    """How many columns are the file's own: those before what an earlier import added at the end."""
    width = len(header)
    while width and header[width - 1] in COLUMNS:
        width -= 1
    return width


def cells_of_line(line: str, delimiter: str) -> list[str]:
    """The cells of a line whose quotation marks may be wrong, as far as they can be told."""
    return next(csv.reader(line.splitlines(keepends=True), delimiter=delimiter, strict=False), [])


def reason_if_unchanged(header: Sequence[str], cells: Sequence[str]) -> str:
    """Why the row was refused before, if nobody changed it since; else ""."""
    line = _cell(header, cells, LINE_COLUMN)
    if not line:
        return ""
    width = own_width(header)
    now = [_alike(cell) for cell in cells[:width]]
    for delimiter in _DELIMITERS:
        before = [_alike(cell) for cell in cells_of_line(line, delimiter)[:width]]
        if before + [""] * (width - len(before)) == now:
            return f"{UNCHANGED} {_cell(header, cells, REASON_COLUMN).removeprefix(UNCHANGED).strip()}".strip()
    return ""


def _cell(header: Sequence[str], cells: Sequence[str], heading: str) -> str:
    place = header.index(heading) if heading in header else len(cells)
    return cells[place] if place < len(cells) else ""


def _alike(cell: str) -> str:
    """The cell without what a spreadsheet changes by saving: leading zeros and outer spaces."""
    return _LEADING_ZEROS.sub("", cell.strip())
