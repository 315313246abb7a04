"""The file → staged rows: read, convert and COPY in one stream, in constant memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from qikbiz.transfer.imports.converting import Converted, Converter
from qikbiz.transfer.imports.csv_reader import RowProblem, RowReader
from qikbiz.transfer.imports.encoding import copy_array, copy_field, staged_text
from qikbiz.transfer.imports.parallel_convert import second_reader
from qikbiz.transfer.imports.plans import Plan
from qikbiz.transfer.imports.sql import Link
from qikbiz.transfer.imports.uploads import Source

Progress = Callable[[int], None]
_BLOCK, _LONG_BLOCK = 1_000, 1_000_000
_COPY = "COPY import_rows (import_id, row, outcome, key, values, problems, skipped) FROM STDIN"
Row = tuple[int, list[str], RowProblem | None]


@dataclass(frozen=True, slots=True)
class Staged:
    """`blank` lines were left out: they are no rows."""

    rows: int
    blank: int


def stage(link: Link, plan: Plan, source: Source, import_id: UUID, progress: Progress) -> Staged:
    """Replace the staged rows of this import. `progress` is told how many rows were read."""
    link.execute("DELETE FROM import_rows WHERE import_id = %s", (import_id,))
    link.execute("DELETE FROM import_updates WHERE import_id = %s", (import_id,))
    reader = RowReader(source, plan.shape)
    lines = Lines(plan, reader.header, import_id)
    with second_reader(plan, source, import_id) as second, link.cursor().copy(_COPY) as copy:
        for number, rows in enumerate(_blocks(reader)):
            copy.write(second.next_block() if second and number % 2 else lines.of(rows))
            progress(reader.rows)
    return Staged(reader.rows, reader.blank)


def odd_blocks(plan: Plan, source: Source, import_id: UUID) -> Iterator[bytes]:
    """The blocks of the file that `stage` leaves to a second reader, as lines for COPY."""
    reader = RowReader(source, plan.shape)
    lines = Lines(plan, reader.header, import_id)
    for number, rows in enumerate(_blocks(reader)):
        if number % 2:
            yield lines.of(rows)


class Lines:
    """Turns rows of the file into lines for COPY."""

    def __init__(self, plan: Plan, header: list[str], import_id: UUID) -> None:
        self._convert = Converter(plan, header).convert
        self._staged = plan.staged
        self._start = str(import_id)

    def of(self, rows: list[Row]) -> bytes:
        return "".join(self._each(rows)).encode()

    def _each(self, rows: list[Row]) -> Iterator[str]:
        convert, staged, start = self._convert, self._staged, self._start
        for number, cells, problem in rows:
            found = Converted(None, {}, [problem]) if problem else convert(cells)
            if found.problems:
                yield f"{start}\t{number}\tinvalid\t\\N\t\\N\t{copy_field(problems_json(found.problems))}\t\\N\n"
                continue
            skipped = copy_field(problems_json(found.skipped)) if found.skipped else "\\N"
            values = copy_array(
                [
                    value if value is None or value.__class__ is str else staged_text(value)
                    for value in map(found.values.get, staged)
                ]
            )
            key = "\\N" if found.key is None else copy_field(found.key)
            if found.needs is None:
                yield f"{start}\t{number}\tcreated\t{key}\t{values}\t\\N\t{skipped}\n"
            else:
                problems = copy_field(problems_json([found.needs]))
                yield f"{start}\t{number}\tnameless\t{key}\t{values}\t{problems}\t{skipped}\n"


def problems_json(problems: Iterable[RowProblem]) -> str:
    return json.dumps([problem.as_json() for problem in problems], ensure_ascii=False)


def _blocks(reader: RowReader) -> Iterator[list[Row]]:
    """A thousand rows each, fewer where they are long; the same for everyone who reads the file."""
    block: list[Row] = []
    began = 0
    for row in reader:
        block.append(row)
        if len(block) == _BLOCK or reader.characters - began > _LONG_BLOCK:
            yield block
            block, began = [], reader.characters
    if block:
        yield block
