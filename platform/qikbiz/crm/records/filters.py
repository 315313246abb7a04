"""Filters of a list, made from the declaration. Their state is the page's address, so it can be kept and sent on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, literal_column

from qikbiz.crm.records.fields import Field, FieldKind, RecordType
from qikbiz.crm.records.number_parsing import parse_boolean, parse_date
from qikbiz.crm.records.row_access import filtered_link, visible_rows
from qikbiz.crm.records.search_condition import search_condition
from qikbiz.crm.records.validation import FieldProblem
from qikbiz.kernel.errors import Failure
from qikbiz.kernel.rights import Action, Rights

Condition = ColumnElement[bool]
Column = ColumnElement[Any]
_UTC = ZoneInfo("UTC")
NOBODY, ME = "nobody", "me"
LONGEST_FILTER = 200


class BadFilter(Failure):
    """A filter in the address that this list can't have."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition as the address says it. `name` is the parameter, `end` is from or to where there are two."""

    field: Field
    text: str
    end: str = ""

    @property
    def parameter(self) -> str:
        return f"{self.field.name}_{self.end}" if self.end else self.field.name


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whose list it is: which records the act reaches, what "me" means, and in which zone a day begins."""

    rights: Rights
    zone: ZoneInfo = _UTC
    action: Action = Action.SEE


def parameters(field: Field) -> tuple[str, ...]:
    """The parameters of a filterable field."""
    if field.kind is FieldKind.TIMESTAMP:
        return (f"{field.name}_from", f"{field.name}_to")
    return (field.name,)


def filters_from(record_type: RecordType, arguments: Mapping[str, Sequence[str]]) -> list[Filter]:
    """What the address asks for; parameters that are no filter are left to others."""
    found = []
    for field in record_type.filterable():
        for parameter in parameters(field):
            end = parameter.rpartition("_")[2] if field.kind is FieldKind.TIMESTAMP else ""
            texts = [text.strip() for text in arguments.get(parameter, ()) if text.strip()]
            found += [Filter(field, _short(text), end) for text in texts[:5]]
    return found


def conditions(record_type: RecordType, arguments: Mapping[str, Sequence[str]], viewpoint: Viewer) -> list[Condition]:
    """What the rows of a list fulfil: alive, within reach, every filter, and the search. Raises BadFilter.

    The export of a list uses the same function, so that it holds exactly what the list shows.
    """
    columns = record_type.model.__table__.c
    wanted: list[Condition] = [columns.deleted_at.is_(None)]
    wanted += visible_rows(record_type, viewpoint.action, viewpoint.rights)
    wanted += [condition(record_type, filter_, viewpoint) for filter_ in filters_from(record_type, arguments)]
    typed = (arguments.get("q") or [""])[0].strip()
    if typed:
        wanted.append(search_condition(record_type, typed))
    return wanted


def condition(record_type: RecordType, filter_: Filter, viewpoint: Viewer) -> Condition:
    """Raises BadFilter for a value that makes no sense for the field."""
    try:
        return _condition(record_type, filter_, viewpoint)
    except (FieldProblem, ValueError, OverflowError) as problem:
        reason = problem.reason if isinstance(problem, FieldProblem) else "It is not valid."
        raise BadFilter(f"The filter {filter_.field.label} does not work. {reason}") from None


def _condition(record_type: RecordType, filter_: Filter, viewpoint: Viewer) -> Condition:
    field = filter_.field
    # Of another record its id is the last column, of everything else the column has the field's name.
    name = field.written_columns[-1] if field.references else field.name
    build = _linked if field.references else _BUILDERS.get(field.kind, _contains)
    return build(record_type.model.__table__.c[name], filter_, viewpoint)


def _owned(column: Column, filter_: Filter, viewpoint: Viewer) -> Condition:
    if filter_.text == NOBODY:
        return column.is_(None)
    return column == (viewpoint.rights.me if filter_.text == ME else UUID(filter_.text))


def _linked(column: Column, filter_: Filter, viewpoint: Viewer) -> Condition:
    return and_(column == UUID(filter_.text), *filtered_link(filter_.field.references, column, viewpoint.rights))


def _tagged(column: Column, filter_: Filter, _viewpoint: Viewer) -> Condition:
    # The second half lets the partial index answer.
    return and_(column.contains([filter_.text]), column != literal_column("'{}'"))


def _filled(column: Column, filter_: Filter, _viewpoint: Viewer) -> Condition:
    return column.is_not(None) if parse_boolean(filter_.text) else column.is_(None)


def _ticked(column: Column, filter_: Filter, _viewpoint: Viewer) -> Condition:
    return column.is_(parse_boolean(filter_.text))


def _equal(column: Column, filter_: Filter, _viewpoint: Viewer) -> Condition:
    return column == filter_.text


def _contains(column: Column, filter_: Filter, _viewpoint: Viewer) -> Condition:
    return column.icontains(filter_.text, autoescape=True)


def _within(column: Column, filter_: Filter, viewpoint: Viewer) -> Condition:
    start = datetime.combine(parse_date(filter_.text), time(), viewpoint.zone)
    if filter_.end == "from":
        return column >= start
    # The day given is still inside.
    return column < start + timedelta(days=1)


_BUILDERS: dict[FieldKind, Callable[[Column, Filter, Viewer], Condition]] = {
    FieldKind.OWNER: _owned,
    FieldKind.TAGS: _tagged,
    FieldKind.EMAIL: _filled,
    FieldKind.PHONE: _filled,
    FieldKind.BOOLEAN: _ticked,
    FieldKind.CHOICE: _equal,
    FieldKind.COUNTRY: _equal,
    FieldKind.TIMESTAMP: _within,
}


def _short(text: str) -> str:
    if len(text) > LONGEST_FILTER or "\x00" in text:
        raise BadFilter(f"A filter may have at most {LONGEST_FILTER} characters.")
    return text
