"""Filters of a list, made from the declaration. Their state is the page's address, so it can be kept and sent on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import and_

from qikbiz.crm.records.row_access import filtered_link, visible_rows
from qikbiz.crm.records.search_condition import search_condition
from qikbiz.crm.schema.field import Condition, Field, Viewer
from qikbiz.crm.schema.record_type import RecordType
from qikbiz.crm.schema.validation import FieldProblem
from qikbiz.kernel.errors import Failure

LONGEST_FILTER = 200


class BadFilter(Failure):
    """A filter in the address that this list can't have."""


class Filter(NamedTuple):
    """One condition as the address says it: the parameter's name and its text."""

    field: Field
    text: str
    parameter: str


def filters_from(record_type: RecordType, arguments: Mapping[str, Sequence[str]]) -> list[Filter]:
    """What the address asks for; parameters that are no filter are left to others."""
    found = []
    for field in record_type.filterable():
        for parameter in field.parameters:
            texts = [text.strip() for text in arguments.get(parameter, ()) if text.strip()]
            found += [Filter(field, _short(text), parameter) for text in texts[:5]]
    return found


def conditions(record_type: RecordType, arguments: Mapping[str, Sequence[str]], viewer: Viewer) -> list[Condition]:
    """What the rows of a list fulfil: alive, within reach, every filter, and the search. Raises BadFilter.

    The export of a list uses the same function, so that it holds exactly what the list shows.
    """
    columns = record_type.model.__table__.c
    wanted: list[Condition] = [columns.deleted_at.is_(None)]
    wanted += visible_rows(record_type, viewer.action, viewer.rights)
    wanted += [condition(record_type, filter_, viewer) for filter_ in filters_from(record_type, arguments)]
    typed = (arguments.get("q") or [""])[0].strip()
    if typed:
        wanted.append(search_condition(record_type, typed))
    return wanted


def condition(record_type: RecordType, filter_: Filter, viewer: Viewer) -> Condition:
    """Raises BadFilter for a value that makes no sense for the field."""
    try:
        return _condition(record_type, filter_, viewer)
    except (FieldProblem, ValueError, OverflowError) as problem:
        reason = problem.reason if isinstance(problem, FieldProblem) else "It is not valid."
        raise BadFilter(f"The filter {filter_.field.label} does not work. {reason}") from None


def _condition(record_type: RecordType, filter_: Filter, viewer: Viewer) -> Condition:
    field = filter_.field
    column = record_type.model.__table__.c[field.filter_column]
    found = field.condition(column, filter_.text, filter_.parameter, viewer)
    # Of a record that may not be seen a filter says nothing.
    return and_(found, *filtered_link(field.references, column, viewer.rights)) if field.references else found


def _short(text: str) -> str:
    if len(text) > LONGEST_FILTER or "\x00" in text:
        raise BadFilter(f"A filter may have at most {LONGEST_FILTER} characters.")
    return text
