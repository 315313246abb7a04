"""The rows of a CSV file, one at a time, whatever is in it: a bad row is named, a broken file is refused."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

from qikbiz.transfer.exports.formula_escape import unescape
from qikbiz.transfer.imports.csv_dialect import Format, UnreadableFile, announced_delimiter, open_text
from qikbiz.transfer.imports.header_rows import distinct
from qikbiz.transfer.imports.limits import LONGEST_CELL, LONGEST_LINE, MOST_COLUMNS, MOST_ROWS
from qikbiz.transfer.imports.returned_rows import HOW_TO_FIX, LINE_COLUMN, reason_if_unchanged
from qikbiz.transfer.imports.totals import LONGEST_WORD, is_totals
from qikbiz.transfer.imports.uploads import Source

# Set for the whole process: the module has no other way. Its default of 131,072 is too short for long notes.
csv.field_size_limit(LONGEST_CELL)
_NOT_KEPT = re.compile("[\x00\ud800-\udfff]")
# How a spreadsheet is told to take digits for text: ="01067".
_TEXT_FORMULA = re.compile(r'="((?:[^"]|"")*)"')
# A row broken over more lines than this has swallowed others.
_MOST_LINES_OF_A_BROKEN_ROW = 50


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

    `header_row` is the row of the headings, 0 without.
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
        self._has_text_formula = False
        self.header = self._read_header()
        self._is_returned = LINE_COLUMN in self.header
        self.header_row = self.number if shape.has_header else 0

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
            self._has_text_formula = False
            problem: RowProblem | None
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                cells, problem = [], self._survivable(error, text)
            else:
                problem = None if len(cells) == width else self._ragged(cells, width)
                if self._has_text_formula:
                    cells[:] = [plain_text(cell) for cell in cells]
            self.number += 1
            if problem is None and not (any(cells) and any(map(str.strip, cells))):
                self.blank += 1
                continue
            if problem is None:
                problem = self._second_look(cells)
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
        for _ in self._until_header(reader):
            pass

    def _until_header(self, reader: Iterator[list[str]]) -> Iterator[list[str]]:
        """The rows up to the headings: the row named, or the first that holds anything."""
        wanted = self._shape.header_row
        for cells in reader:
            self.number += 1
            yield cells
            if self.number >= wanted and (wanted or any(cells)):
                return

    def _lines(self, text: TextIO) -> Iterator[str]:
        # Bounded, so that a file without line ends can't fill the memory; kept, so that a problem can be placed.
        readline, record = text.readline, self._record
        while line := readline(LONGEST_LINE):
            if len(line) == LONGEST_LINE and not line.endswith(("\n", "\r")):
                raise UnreadableFile(
                    f"Row {self.number + 1} is longer than {LONGEST_LINE // 2**20} million characters."
                )
            record.append(line)
            if '="' in line:
                self._has_text_formula = True
            self.characters += len(line)
            yield line

    def _read_header(self) -> list[str]:
        with open_text(self._source, self._shape.encoding) as text:
            reader = csv.reader(self._lines(text), delimiter=self._shape.delimiter, strict=True)
            if announced_delimiter(text.readline(20)):
                self.number += 1
            else:
                text.seek(0)
            try:
                cells = [*self._until_header(reader)]
            except csv.Error as error:
                raise self._fatal(error) from None
            except UnicodeError:
                raise UnreadableFile("The file can't be read in this encoding. Choose another.") from None
        found = next((row for row in reversed(cells) if any(row)), None)
        if found is None or self.number < self._shape.header_row:
            raise UnreadableFile("The file has no rows." if found is None else "The file has no such row.")
        if len(found) > MOST_COLUMNS:
            raise UnreadableFile(f"The file has {len(found):,} columns; at most {MOST_COLUMNS:,} can be imported.")
        return self._headings(found)

    def _headings(self, cells: list[str]) -> list[str]:
        if not self._shape.has_header:
            return [f"Column {place}" for place in range(1, len(cells) + 1)]
        return distinct(
            [keepable(cell).strip()[:200] or f"Column {place}" for place, cell in enumerate(cells, start=1)]
        )

    def _second_look(self, cells: list[str]) -> RowProblem | None:
        """What is wrong with a row whose cells are whole."""
        if len(cells[0]) <= LONGEST_WORD and is_totals(cells):
            return _TOTALS
        if self._is_returned and (reason := reason_if_unchanged(self.header, cells)):
            return RowProblem("", "", reason, HOW_TO_FIX)
        return None

    @property
    def line(self) -> str:
        """The row at hand as it is in the file."""
        return "".join(self._record).rstrip("\r\n")

    def _survivable(self, error: csv.Error, text: TextIO) -> RowProblem:
        """The problem of a row that ends with its line; reading goes on behind it. Otherwise raises UnreadableFile."""
        if "unexpected end of data" in str(error) or self._has_swallowed_rows():
            raise self._fatal(error)
        column = self._column_at_fault()
        if "field larger" in str(error):
            reason = f"The cell holds more than {LONGEST_CELL:,} characters."
            return RowProblem(column, self._record[0][:60], reason, "Shorten it.")
        reason = "There is a quotation mark inside a quoted cell."
        return RowProblem(column, self._record[-1].strip()[:60], reason, 'Write it twice: "" instead of ".')

    def _has_swallowed_rows(self) -> bool:
        """Whether lines below the first of a broken row look like rows of their own."""
        marks = len(self.header) - 1
        more = self._record[1:]
        return len(more) > _MOST_LINES_OF_A_BROKEN_ROW or any(
            line.count(self._shape.delimiter) >= max(1, marks) for line in more
        )

    def _fatal(self, error: csv.Error) -> UnreadableFile:
        place = f"Row {self.number + 1}, column {self._column_at_fault()}"
        if "field larger" in str(error):
            return UnreadableFile(
                f"{place}: the cell holds more than {LONGEST_CELL:,} characters, or its quotation mark is never closed."
            )
        if "unexpected end of data" in str(error):
            return UnreadableFile(f"{place}: a quotation mark is opened and never closed. Close it, or write it twice.")
        return UnreadableFile(f"{place}: unexpected quotation mark. Inside a quoted cell, write it twice.")

    def _column_at_fault(self) -> str:
        """The heading of the column in which the row breaks off."""
        place = _place_at_fault("".join(self._record)[: 4 * LONGEST_CELL], self._shape.delimiter)
        header = getattr(self, "header", [])
        return f"“{header[place]}”" if place < len(header) else str(place + 1)

    def _ragged(self, cells: list[str], width: int) -> RowProblem | None:
        if not any(cells):
            cells[:] = []
            return None
        if len(cells) < width:
            # Programs leave out empty cells at the end.
            cells += [""] * (width - len(cells))
            return None
        if not any(cells[width:]):
            del cells[width:]
            return None
        reason = f"The row has {len(cells)} cells, but the header has {width}."
        return RowProblem("", "", reason, "Look for an extra delimiter, or a cell that needs quotation marks.")


_TOTALS = RowProblem(
    "", "", "This looks like a row of totals.", "Remove it. If it is not a total, fill in one more text cell."
)


def plain_text(cell: str) -> str:
    """The text that a spreadsheet shows for a cell: `="01067"` is 01067."""
    found = _TEXT_FORMULA.fullmatch(cell.strip())
    return found[1].replace('""', '"') if found else cell


def _place_at_fault(text: str, delimiter: str) -> int:
    """The cell, counted from 0, in which a quotation mark is where none can be, or the last one."""
    place, quoted, before = 0, False, delimiter
    for mark, behind in zip(text, f"{text[1:]}\n", strict=True):
        if mark == '"' and quoted and before != "\\skip":
            if behind == '"':
                before = "\\skip"
                continue
            if behind not in (delimiter, "\n", "\r"):
                return place
            quoted = False
        elif mark == '"' and before == delimiter:
            quoted = True
        elif mark == delimiter and not quoted:
            place += 1
        before = delimiter if mark in (delimiter, "\n") and not quoted else mark
    return place
