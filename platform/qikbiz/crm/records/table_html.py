"""The rows of a list as HTML: the hottest part of the product, so it is written column by column in Python.

A template would escape and put together a page's twelve hundred pieces one at a time, which took a third of the page's
time. Here a column's texts are looked through at once, and escaped only where something needs it. Every text passes
`safe_texts`; the other pieces are numbers, ids and words of ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from markupsafe import Markup
from sqlalchemy import Row

from qikbiz.crm.schema.field import Field
from qikbiz.crm.schema.html import safe_texts
from qikbiz.crm.schema.record_type import RecordType
from qikbiz.web.formats import hue, initials

Rows = Sequence[Row[Any]]


def table_rows(
    record_type: RecordType,
    fields: Sequence[Field],
    rows: Rows,
    people: Mapping[UUID, str],
    *,
    has_ticks: bool,
) -> Markup:
    """The inside of a table's body: a tick box, the name as a link, a cell for each field."""
    ids = [str(row.id) for row in rows]
    names = [record_type.name_of(cast(Mapping[str, Any], row._mapping)) for row in rows]
    columns = [_ticks(ids, names)] if has_ticks else []
    columns.append(_names(record_type, ids, names))
    columns += [field.cells(rows, people) for field in fields]
    lines = [f"<tr>{''.join(cells)}</tr>\n" for cells in zip(*columns, strict=True)]
    return Markup("".join(lines))


def heading_class(field: Field) -> str:
    return "num" if field.is_number else ""


def _ticks(ids: Sequence[str], names: Sequence[str]) -> list[str]:
    return [
        f'<td class="select-cell"><input class="check" type="checkbox" name="ids" value="{id_}" '
        f'aria-label="Select {name}"></td>'
        for id_, name in zip(ids, safe_texts(names), strict=True)
    ]


def _names(record_type: RecordType, ids: Sequence[str], names: Sequence[str]) -> list[str]:
    base, square = f"/{record_type.plural}/", " avatar-square" if record_type.is_square else ""
    hues, letters = map(hue, names), safe_texts(map(initials, names))
    return [
        f'<td><a class="record-link" href="{base}{id_}" hx-boost="false" title="{name}">'
        f'<span class="avatar hue-{colour}{square}" aria-hidden="true">{letter}</span><span>{name}</span></a></td>'
        for id_, name, colour, letter in zip(ids, safe_texts(names), hues, letters, strict=True)
    ]
