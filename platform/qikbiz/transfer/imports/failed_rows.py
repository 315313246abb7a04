"""Rows that were not imported, or not whole, as a CSV to fix and import again: the file's columns and the reason."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import chain
from typing import Any
from uuid import UUID

from qikbiz.transfer.imports.csv_reader import RowReader
from qikbiz.transfer.imports.import_context import format_of, source_of
from qikbiz.transfer.imports.queries import Page, import_for_reading, invalid_rows, skipped_cells
from qikbiz.transfer.imports.returned_rows import (
    KEEPS_LINE,
    LINE_COLUMN,
    REASON_COLUMN,
    SKIPPED_COLUMN,
    cells_of_line,
    own_width,
)
from qikbiz.transfer.imports.visibility import VisibleCells

_BLOCK = 1_000
# Opens one short transaction of the tenant.
Transaction = Callable[[], AbstractContextManager[Any]]


def failed_rows(import_id: UUID, transaction: Transaction, visible: VisibleCells) -> Iterator[bytes]:
    """The rows refused, in pieces: UTF-8 with a mark, for spreadsheets. Reads the upload once, whatever its size."""
    return _rows(import_id, transaction, visible, invalid_rows, REASON_COLUMN)


def rows_with_skipped_cells(import_id: UUID, transaction: Transaction, visible: VisibleCells) -> Iterator[bytes]:
    """The rows that came in without some of their cells, in the same form, with those cells as they are written."""
    return _rows(import_id, transaction, visible, skipped_cells, SKIPPED_COLUMN)


def _rows(
    import_id: UUID, transaction: Transaction, visible: VisibleCells, read: Callable[..., Page], heading: str
) -> Iterator[bytes]:
    with transaction():
        found = import_for_reading(import_id)
        reader = RowReader(source_of(found), format_of(found))
    returned = _returned(import_id, transaction, visible, read)
    header = reader.header[: own_width(reader.header)]
    # The line holds every cell, also those that this person may not see.
    with_lines = heading == REASON_COLUMN and visible.is_everything
    yield b"\xef\xbb\xbf" + _line([*visible.headings[: len(header)], heading, *([LINE_COLUMN] if with_lines else [])])
    wanted = next(returned, None)
    for number, row, problem in reader:
        if wanted is None:
            return
        if number == wanted.row:
            line = _kept_line(reader, row) if with_lines and (problem or wanted.keeps_line) else ""
            cells = visible.kept(row or cells_of_line(reader.line, found.delimiter))[: len(header)]
            more = [line] if with_lines else []
            yield _line([*cells, *[""] * (len(header) - len(cells)), wanted.reason, *more])
            wanted = next(returned, None)


def _kept_line(reader: RowReader, row: list[str]) -> str:
    """The line of the first file that had it, however often the row was given back."""
    before = row[reader.header.index(LINE_COLUMN)] if row and LINE_COLUMN in reader.header else ""
    return before or reader.line


@dataclass(frozen=True, slots=True)
class Returned:
    """A row to give back; with `keeps_line` it does not show by itself what is wrong with it."""

    row: int
    reason: str
    keeps_line: bool


def reason_of(problems: list[dict[str, str]]) -> str:
    """All problems of a row in one sentence after another."""
    texts = (
        f"{problem['column']}: {problem['reason']}" if problem["column"] else problem["reason"] for problem in problems
    )
    advice = (problem["how_to_fix"] for problem in problems)
    return " ".join(dict.fromkeys(part for part in chain.from_iterable(zip(texts, advice, strict=True)) if part))


def _returned(
    import_id: UUID, transaction: Transaction, visible: VisibleCells, read: Callable[..., Page]
) -> Iterator[Returned]:
    after: int | None = 0
    while after is not None:
        with transaction():
            page = read(import_id, after=after, limit=_BLOCK)
        for row in page.rows:
            keeps_line = any(problem.get(KEEPS_LINE) for problem in row.problems)
            yield Returned(row.row, reason_of([visible.problem(problem) for problem in row.problems]), keeps_line)
        after = page.after


def _line(cells: list[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue().encode("utf-8", "surrogateescape")
