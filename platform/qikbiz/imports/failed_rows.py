"""Rows that were not imported, or not whole, as a CSV to fix and import again: the file's columns and the reason."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from itertools import chain
from typing import Any
from uuid import UUID

from qikbiz.imports.mapping import REASON_COLUMN, REASON_COLUMNS, SKIPPED_COLUMN
from qikbiz.imports.queries import Page, import_for_reading, invalid_rows, skipped_cells
from qikbiz.imports.reading import RowReader
from qikbiz.imports.uploaded import format_of, source_of
from qikbiz.imports.visibility import VisibleCells

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
    reasons = _reasons(import_id, transaction, visible, read)
    keeps_reason = reader.header[-1] in REASON_COLUMNS
    header = reader.header[:-1] if keeps_reason else reader.header
    yield b"\xef\xbb\xbf" + _line([*header, heading])
    wanted = next(reasons, None)
    for number, row, _ in reader:
        if wanted is None:
            return
        if number == wanted[0]:
            cells = visible.kept(row)
            # A row with too few or too many cells keeps what it has.
            yield _line(
                [*(cells[: len(header)] if keeps_reason else cells), *[""] * (len(header) - len(cells)), wanted[1]]
            )
            wanted = next(reasons, None)


def reason_of(problems: list[dict[str, str]]) -> str:
    """All problems of a row in one sentence after another."""
    texts = (
        f"{problem['column']}: {problem['reason']}" if problem["column"] else problem["reason"] for problem in problems
    )
    advice = (problem["how_to_fix"] for problem in problems)
    return " ".join(dict.fromkeys(part for part in chain.from_iterable(zip(texts, advice, strict=True)) if part))


def _reasons(
    import_id: UUID, transaction: Transaction, visible: VisibleCells, read: Callable[..., Page]
) -> Iterator[tuple[int, str]]:
    after: int | None = 0
    while after is not None:
        with transaction():
            page = read(import_id, after=after, limit=_BLOCK)
        for row in page.rows:
            yield row.row, reason_of([visible.problem(problem) for problem in row.problems])
        after = page.after


def _line(cells: list[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue().encode("utf-8", "surrogateescape")
