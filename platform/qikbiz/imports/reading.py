"""The rows of a CSV file, one at a time, whatever is in it: a bad row is named, a broken file is refused."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

from qikbiz.exports.formulas import unescape
from qikbiz.imports.formats import Format, UnreadableFile, announced_delimiter, open_text
from qikbiz.imports.limits import LONGEST_CELL, LONGEST_LINE, MOST_COLUMNS, MOST_ROWS
from qikbiz.imports.uploads import Source

# Set for the whole process: the module has no other way. Its default of 131,072 is too short for long notes.
csv.field_size_limit(LONGEST_CELL)
_NOT_KEPT = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong with a row, or with one cell of it. `column` is its heading, "" for the whole row."""

    column: str
    value: str
    reason: str
    how_to_fix: str = ""

    def as_json(self) -> dict[str, str]:
        """For the database, which holds no NUL and no half characters."""
        words = {"column": self.column, "value": self.value, "reason": self.reason, "how_to_fix": self.how_to_fix}
        return {name: keepable(text) for name, text in words.items()}


def keepable(text: str) -> str:
    """The text with what no database holds replaced by the sign for it."""
    return _NOT_KEPT.sub("\ufffd", text)


class RowReader:
    """Reads `source` as `shape` says. `number` counts as a spreadsheet does: the header is row 1, blank lines count.

    Iterating gives (number, cells, problem): cells as they stand, and what is wrong with the row as a whole, if so.
    `blank` counts lines without any text, which are no rows; `characters` is how much was read.
    """

    def __init__(self, source: Source, shape: Format) -> None:
        self._source = source
        self._shape = shape
        self.blank = 0
        self.number = 0
        self.rows = 0
        self.characters = 0
        self._record: list[str] = []
        self.header = self._read_header()

    def __iter__(self) -> Iterator[tuple[int, list[str], RowProblem | None]]:
        with open_text(self._source, self._shape.encoding) as text:
            rows = self._rows(text)
            if self._shape.is_formula_safe:
                rows = ((number, [unescape(cell) for cell in cells], problem) for number, cells, problem in rows)
            yield from rows

    def _rows(self, text: TextIO) -> Iterator[tuple[int, list[str], RowProblem | None]]:
        reader = self._start(text)
        width = len(self.header)
        record = self._record
        while True:
            record.clear()
            problem: RowProblem | None
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                cells, problem = [], self._survivable(error, text)
            else:
                problem = None if len(cells) == width else self._ragged(cells, width)
            self.number += 1
            if problem is None and not any(cells):
                self.blank += 1
                continue
            self.rows += 1
            if self.rows > MOST_ROWS:
                raise UnreadableFile(f"The file has more than {MOST_ROWS:,} rows. Split it and import the parts.")
            yield self.number, cells, problem

    def _start(self, text: TextIO) -> Iterator[list[str]]:
        """Past the lines that are no data: `sep=` and the header."""
        self.number = self.rows = self.blank = self.characters = 0
        reader = csv.reader(self._lines(text), delimiter=self._shape.delimiter, strict=True)
        if announced_delimiter(text.readline(20)):
            self.number += 1
        else:
            text.seek(0)
        if self._shape.has_header:
            self._skip_header(reader)
        return reader

    def _skip_header(self, reader: Iterator[list[str]]) -> None:
        cells: list[str] = []
        while not any(cells):
            try:
                cells = next(reader)
            except StopIteration:
                return
            self.number += 1

    def _lines(self, text: TextIO) -> Iterator[str]:
        # Bounded, so that a file without line ends can't fill the memory; kept, so that a problem can be placed.
        readline, record = text.readline, self._record
        while line := readline(LONGEST_LINE):
            if len(line) == LONGEST_LINE and not line.endswith(("\n", "\r")):
                raise UnreadableFile(
                    f"Row {self.number + 1} is longer than {LONGEST_LINE // 2**20} million characters."
                )
            record.append(line)
            self.characters += len(line)
            yield line

    def _read_header(self) -> list[str]:
        with open_text(self._source, self._shape.encoding) as text:
            reader = csv.reader(self._lines(text), delimiter=self._shape.delimiter, strict=True)
            if not announced_delimiter(text.readline(20)):
                text.seek(0)
            try:
                cells = next((row for row in reader if any(row)), None)
            except csv.Error as error:
                raise self._fatal(error) from None
            except UnicodeError:
                raise UnreadableFile("The file can't be read in this encoding. Choose another.") from None
        if cells is None:
            raise UnreadableFile("The file has no rows.")
        if len(cells) > MOST_COLUMNS:
            raise UnreadableFile(f"The file has {len(cells):,} columns; at most {MOST_COLUMNS:,} can be imported.")
        return self._headings(cells)

    def _headings(self, cells: list[str]) -> list[str]:
        if not self._shape.has_header:
            return [f"Column {place}" for place in range(1, len(cells) + 1)]
        return distinct(
            [keepable(cell).strip()[:200] or f"Column {place}" for place, cell in enumerate(cells, start=1)]
        )

    def _survivable(self, error: csv.Error, text: TextIO) -> RowProblem:
        """The problem of a row that ends with its line; reading goes on behind it. Otherwise raises UnreadableFile."""
        if len(self._record) != 1 or "unexpected end of data" in str(error):
            raise self._fatal(error)
        column = self._column_at_fault()
        if "field larger" in str(error):
            reason = f"The cell holds more than {LONGEST_CELL:,} characters."
            return RowProblem(column, self._record[0][:60], reason, "Shorten it.")
        reason = "A quotation mark stands inside a cell in quotation marks."
        return RowProblem(column, self._record[0].strip()[:60], reason, 'Write it twice: "" instead of ".')

    def _fatal(self, error: csv.Error) -> UnreadableFile:
        place = f"Row {self.number + 1}, column {self._column_at_fault()}"
        if "field larger" in str(error):
            return UnreadableFile(
                f"{place}: the cell holds more than {LONGEST_CELL:,} characters, or its quotation mark is never closed."
            )
        if "unexpected end of data" in str(error):
            return UnreadableFile(f"{place}: a quotation mark is opened and never closed. Close it, or write it twice.")
        return UnreadableFile(f"{place}: a quotation mark stands where none is expected. Write it twice inside a cell.")

    def _column_at_fault(self) -> str:
        """The heading of the column in which the record at hand breaks off."""
        place, quoted = 0, False
        for mark in "".join(self._record)[: 4 * LONGEST_CELL]:
            if mark == '"':
                quoted = not quoted
            elif mark == self._shape.delimiter and not quoted:
                place += 1
        header = getattr(self, "header", [])
        return f"“{header[place]}”" if place < len(header) else str(place + 1)

    def _ragged(self, cells: list[str], width: int) -> RowProblem | None:
        if not any(cells):
            cells[:] = []
            return None
        if len(cells) > width and not any(cells[width:]):
            del cells[width:]
            return None
        reason = f"The row has {len(cells)} cells, but the header has {width}."
        return RowProblem(
            "", "", reason, "Look for a missing or a superfluous delimiter, or a cell that needs quotation marks."
        )


def distinct(headings: list[str]) -> list[str]:
    """Headings that occur twice get a number, so that each names one column: Phone, Phone (2)."""
    seen: dict[str, int] = {}
    named = []
    for heading in headings:
        seen[heading] = seen.get(heading, 0) + 1
        named.append(heading if seen[heading] == 1 else f"{heading} ({seen[heading]})")
    return named
