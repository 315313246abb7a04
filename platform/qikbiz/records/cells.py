"""The rows of a list as the template draws them: a name, and for each column a way of drawing and a value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row

from qikbiz.records.fields import Field, Kind, RecordType, show_value
from qikbiz.records.values import countries, show_phone
from qikbiz.web.formats import hue, initials, moments_shown, number


class ListRow(NamedTuple):
    id: str
    name: str
    initials: str
    hue: int
    cells: list[tuple[str, Any]]


Cell = Callable[[Row[Any]], tuple[str, Any]]


def list_rows(
    record_type: RecordType, fields: Sequence[Field], rows: Sequence[Row[Any]], people: Mapping[UUID, str]
) -> list[ListRow]:
    """Everything is worked out here, since Python is quicker at it than a template."""
    makers = [_maker(field, people) for field in fields]
    return [_row(record_type, row, makers) for row in rows]


def heading_class(field: Field) -> str:
    return "num" if field.kind in (Kind.INTEGER, Kind.MONEY) else ""


def _row(record_type: RecordType, row: Row[Any], makers: list[Cell]) -> ListRow:
    name = record_type.name_of(row._asdict())
    return ListRow(str(row.id), name, initials(name), hue(name), [make(row) for make in makers])


def _maker(field: Field, people: Mapping[UUID, str]) -> Cell:  # noqa: PLR0911 - one line for each kind
    name = field.name
    match field.kind:
        case Kind.OWNER:
            return lambda row: ("", people.get(getattr(row, name)))
        case Kind.COMPANY:
            return _company
        case Kind.TAGS:
            return lambda row: ("tags", [(tag, hue(tag)) for tag in getattr(row, name)])
        case Kind.TIMESTAMP:
            shown = moments_shown()
            return lambda row: ("time", shown(getattr(row, name)))
        case Kind.INTEGER | Kind.MONEY:
            return lambda row: ("num", number(getattr(row, name)))
        case Kind.EMAIL:
            return lambda row: _email(getattr(row, name))
        case Kind.PHONE:
            return lambda row: ("", show_phone(getattr(row, name) or ""))
        case Kind.COUNTRY:
            return lambda row: ("", countries().get(getattr(row, name)))
        case Kind.BOOLEAN | Kind.DATE:
            return lambda row: ("", show_value(getattr(row, name) or None))
    return lambda row: ("", getattr(row, name))


def _company(row: Row[Any]) -> tuple[str, Any]:
    return ("company", (row.company_name, row.company_id)) if row.company_id else ("", row.company_name)


def _email(address: str | None) -> tuple[str, Any]:
    # In a link a question mark would begin the headers of a mail that somebody else has written.
    return ("email" if address and "?" not in address and "%" not in address else ""), address
