"""The rows that were not imported, as a CSV to mend and import again: the file's own columns and the reason."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from itertools import chain
from typing import Any
from uuid import UUID

from qikbiz.imports.mapping import REASON_COLUMN
from qikbiz.imports.queries import import_for_reading, invalid_rows
from qikbiz.imports.reading import RowReader
from qikbiz.imports.uploaded import format_of, source_of

_BLOCK = 1_000
# Opens one short transaction of the tenant.
Transaction = Callable[[], AbstractContextManager[Any]]


def failed_rows(import_id: UUID, transaction: Transaction) -> Iterator[bytes]:
    """The file in pieces: UTF-8 with a mark, for spreadsheets. Reads the upload once, whatever the number of rows."""
    with transaction():
        found = import_for_reading(import_id)
        reader = RowReader(source_of(found), format_of(found))
    reasons = _reasons(import_id, transaction)
    keeps_reason = reader.header[-1] == REASON_COLUMN
    header = reader.header[:-1] if keeps_reason else reader.header
    yield b"\xef\xbb\xbf" + _line([*header, REASON_COLUMN])
    wanted = next(reasons, None)
    for number, cells, _ in reader:
        if wanted is None:
            return
        if number == wanted[0]:
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


def _reasons(import_id: UUID, transaction: Transaction) -> Iterator[tuple[int, str]]:
    after: int | None = 0
    while after is not None:
        with transaction():
            page = invalid_rows(import_id, after=after, limit=_BLOCK)
        yield from ((row.row, reason_of(row.problems)) for row in page.rows)
        after = page.after


def _line(cells: list[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue().encode("utf-8", "surrogateescape")
