"""Reading the CSV of a portable export. Python's own reader can't tell nothing from an empty text; this one can.

The form is exactly what the export writes: every value in quotes, NULL without, commas, CR LF.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TextIO

Row = list[str | None]
BLOCK = 1 << 20
# A longer cell is no contact's: the file is another one, or was made to fill our memory.
LONGEST_CELL = 64 * BLOCK
_CELL = re.compile(r'(?:"([^"]*(?:""[^"]*)*)")?(,|\r\n)')


class NotPortable(ValueError):
    """The text is not what a portable export writes."""


def portable_rows(text: TextIO) -> Iterator[Row]:
    """Each row; None for nothing, "" for an empty text. `text` is opened with newline="". Raises NotPortable."""
    row: Row = []
    rest, position, is_over = "", 0, False
    while True:
        found = _CELL.match(rest, position)
        if found is None:
            if is_over or len(rest) - position > LONGEST_CELL:
                break
            block = text.read(BLOCK)
            rest, position, is_over = rest[position:] + block, 0, not block
            continue
        position = found.end()
        cell = found[1]
        row.append(cell.replace('""', '"') if cell and '"' in cell else cell)
        if found[2] != ",":
            yield row
            row = []
    if row or position < len(rest):
        raise NotPortable("The file ends in the middle of a row, or was written by another program.")
