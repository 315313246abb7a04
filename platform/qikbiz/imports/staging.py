"""The file → staged rows: read, convert and COPY in one stream, in constant memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from uuid_utils import uuid7

from qikbiz.imports.converting import Converted, Converter
from qikbiz.imports.encoding import copy_array, copy_field, staged_text
from qikbiz.imports.plans import Plan
from qikbiz.imports.reading import RowProblem, RowReader
from qikbiz.imports.sql import Link
from qikbiz.imports.uploads import Source

Progress = Callable[[int], None]
_BLOCK = 2_000
_COPY = "COPY import_rows (import_id, row, outcome, key, new_id, values, problems) FROM STDIN"


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
    with link.cursor().copy(_COPY) as copy:
        for block in _blocks(_lines(reader, plan, import_id)):
            copy.write(block)
            progress(reader.rows)
    return Staged(reader.rows, reader.blank)


def _lines(reader: RowReader, plan: Plan, import_id: UUID) -> Iterator[str]:
    convert, staged, start = Converter(plan, reader.header).convert, plan.staged, str(import_id)
    for number, cells, problem in reader:
        found = Converted(None, {}, [problem]) if problem else convert(cells)
        if found.problems:
            yield f"{start}\t{number}\tinvalid\t\\N\t\\N\t\\N\t{copy_field(problems_json(found.problems))}\n"
            continue
        values = copy_array(
            [
                value if value is None or value.__class__ is str else staged_text(value)
                for value in map(found.values.get, staged)
            ]
        )
        key = "\\N" if found.key is None else copy_field(found.key)
        if found.needs is None:
            yield f"{start}\t{number}\tcreated\t{key}\t{uuid7()}\t{values}\t\\N\n"
        else:
            problems = copy_field(problems_json([found.needs]))
            yield f"{start}\t{number}\tnameless\t{key}\t{uuid7()}\t{values}\t{problems}\n"


def problems_json(problems: Iterable[RowProblem]) -> str:
    return json.dumps([problem.as_json() for problem in problems], ensure_ascii=False)


def _blocks(lines: Iterator[str]) -> Iterator[str]:
    block: list[str] = []
    for line in lines:
        block.append(line)
        if len(block) == _BLOCK:
            yield "".join(block)
            block.clear()
    if block:
        yield "".join(block)
