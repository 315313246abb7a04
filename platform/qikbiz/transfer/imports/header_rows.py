"""Where the headings of a file are: reports have a title and notes before their table."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence

# Titles of reports take up to twenty lines.
LOOKED_AT = 60
_DATUM = re.compile(r"@|^[-+(]?[\d.,/: ]*\d[\d.,/: )%€$£-]*$")


def header_row_of(lines: Sequence[str], delimiter: str) -> int:
    """The row of the headings, counted from 1 with blank ones; 0 for the first that holds anything.

    Lines before it are skipped only where they fill less than half of the columns that the rows below have, and what
    then comes as headings is no data.
    """
    try:
        rows = [_filled(row) for row in csv.reader(lines, delimiter=delimiter)]
    except csv.Error:
        return 0
    usual = _usual_width(rows)
    first = next((row for row in rows if row), [])
    if usual < 2 or len(first) * 2 > usual:
        return 0
    found = next((number for number, row in enumerate(rows, start=1) if len(row) > 1 and len(row) * 2 > usual), 0)
    if not found or any(_DATUM.search(cell) for cell in rows[found - 1]):
        return 0
    return found


def _filled(row: list[str]) -> list[str]:
    return [cell for cell in (cell.strip() for cell in row) if cell]


def _usual_width(rows: list[list[str]]) -> int:
    """How many cells the rows of the table fill; titles and notes are at most a few."""
    widths = Counter(len(row) for row in rows if len(row) > 1)
    return max(widths, key=lambda width: (widths[width], width), default=0)


def distinct(headings: list[str]) -> list[str]:
    """Headings that occur twice get a number, so that each names one column: Phone, Phone (2)."""
    seen: dict[str, int] = {}
    named = []
    for heading in headings:
        seen[heading] = seen.get(heading, 0) + 1
        named.append(heading if seen[heading] == 1 else f"{heading} ({seen[heading]})")
    return named
