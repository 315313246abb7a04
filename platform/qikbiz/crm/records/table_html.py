"""The rows of a list as HTML: the hottest part of the product, so it is written column by column in Python.

A template would escape and put together a page's twelve hundred pieces one at a time, which took a third of the page's
time. Here a column's texts are looked through at once, and escaped only where something needs it. Every text passes
`safe_texts`; the other pieces are numbers, ids and words of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from markupsafe import Markup, escape
from sqlalchemy import Row

from qikbiz.crm.records.fields import Field, FieldKind, RecordType, show_value
from qikbiz.crm.records.normalize import countries, show_phone
from qikbiz.crm.records.types import BY_SINGULAR
from qikbiz.web.formats import hue, initials, moments_shown, number

Rows = Sequence[Row[Any]]
_special = re.compile("[&<>\"']").search


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
    columns += [_column(field, rows, people) for field in fields]
    lines = [f"<tr>{''.join(cells)}</tr>\n" for cells in zip(*columns, strict=True)]
    return Markup("".join(lines))


def heading_class(field: Field) -> str:
    return "num" if field.kind in (FieldKind.INTEGER, FieldKind.MONEY) else ""


def safe_texts(texts: Iterable[str | None]) -> list[str]:
    """Each text escaped for HTML; nothing for None."""
    found = [text or "" for text in texts]
    return [str(escape(text)) for text in found] if _special("".join(found)) else found


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


def _column(field: Field, rows: Rows, people: Mapping[UUID, str]) -> list[str]:
    values = [getattr(row, field.name) for row in rows]
    if field.references:
        return _linked(field, rows)
    match field.kind:
        case FieldKind.TAGS:
            return [_tags(tags) for tags in values]
        case FieldKind.TIMESTAMP:
            return _moments(values)
        case FieldKind.EMAIL:
            return [_email(address) for address in safe_texts(values)]
        case FieldKind.INTEGER | FieldKind.MONEY:
            return [f'<td class="num">{number(value)}</td>' for value in values]
        case FieldKind.OWNER:
            values = [people.get(value) for value in values]
        case FieldKind.PHONE:
            values = [show_phone(value) if value else None for value in values]
        case FieldKind.COUNTRY:
            known = countries()
            values = [known.get(value) for value in values]
        case FieldKind.BOOLEAN | FieldKind.DATE:
            values = [show_value(value) if value else None for value in values]
    return [f"<td>{text}</td>" for text in safe_texts(values)]


def _linked(field: Field, rows: Rows) -> list[str]:
    name_column, id_column = field.written_columns
    base = f"/{BY_SINGULAR[field.references].plural}/"
    names, ids = safe_texts([getattr(row, name_column) for row in rows]), [getattr(row, id_column) for row in rows]
    return [
        f'<td><a href="{base}{id_}" hx-boost="false">{name}</a></td>' if id_ and name else f"<td>{name}</td>"
        for id_, name in zip(ids, names, strict=True)
    ]


def _tags(tags: Sequence[str]) -> str:
    if not tags:
        return "<td></td>"
    drawn = [
        f'<span class="tag tag-{hue(tag)}">{text}</span>' for tag, text in zip(tags, safe_texts(tags), strict=True)
    ]
    return f'<td><span class="tags">{"".join(drawn)}</span></td>'


def _moments(values: Sequence[Any]) -> list[str]:
    shown = moments_shown()
    cells = []
    for value in values:
        iso, exact, relative = safe_texts(shown(value))
        cells.append(f'<td><time datetime="{iso}" title="{exact}" data-relative>{relative}</time></td>')
    return cells


def _email(address: str) -> str:
    # In a link a question mark would begin the headers of a mail that somebody else has written.
    if not address or "?" in address or "%" in address:
        return f"<td>{address}</td>"
    return f'<td><a href="mailto:{address}">{address}</a></td>'
