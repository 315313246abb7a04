"""One page of a list: plain rows of the wanted columns only, in an order that an index has."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, select
from sqlalchemy.orm import Session

from qikbiz.crm.records.filters import conditions
from qikbiz.crm.records.pagination import Order, Page, fetch_page, with_cursor
from qikbiz.crm.records.row_access import shown_column
from qikbiz.crm.records.row_counts import Estimate, remembered_estimate
from qikbiz.crm.records.search_condition import sorted_name
from qikbiz.crm.records.search_fallback import search_with_fallback
from qikbiz.crm.schema.field import Field, Viewer
from qikbiz.crm.schema.record_type import RecordType
from qikbiz.kernel.errors import Failure
from tenants.context import current_tenant

Arguments = Mapping[str, Sequence[str]]
PAGE_SIZE = 50
DEFAULT_ORDER = "name"
# Sorting by the column would need an index of its own; the id tells the time of creation.
_BY_ID = "created_at"
_NOT_FILTERS = frozenset({"sort", "after", "before"})


class BadOrder(Failure):
    """A list can't be sorted by that."""


@dataclass(frozen=True, slots=True)
class ListPage:
    """What a list page shows. `sort` is the order's name, with - in front when descending."""

    record_type: RecordType
    fields: tuple[Field, ...]
    rows: Sequence[Row[Any]]
    sort: str
    previous: str
    next: str
    total: Estimate


def list_page(
    session: Session, record_type: RecordType, fields: tuple[Field, ...], arguments: Arguments, viewpoint: Viewer
) -> ListPage:
    """The page that the address asks for. Raises BadOrder, BadFilter, BadCursor."""
    order = order_from(record_type, arguments)
    query = with_cursor(
        list_query(record_type, fields, viewpoint, conditions(record_type, arguments, viewpoint)), order
    )
    after, before = first(arguments, "after"), first(arguments, "before")

    def look() -> Page:
        return fetch_page(session, query, order, after=after, before=before, limit=PAGE_SIZE)

    page = search_with_fallback(session, look) if first(arguments, "q") or first(arguments, "tags") else look()
    is_whole = not (page.next or page.previous)
    name = _name(record_type, arguments, viewpoint)
    total = Estimate(len(page.rows)) if is_whole else remembered_estimate(session, query, name)
    sort = ("-" if order.is_descending else "") + order.name
    return ListPage(record_type, fields, page.rows, sort, page.previous, page.next, total)


def filter_names(record_type: RecordType, arguments: Arguments) -> list[str]:
    """What a list is narrowed by, without by what. Names that no filter has are left out: they could say anything."""
    known = {"q", *(name for field in record_type.filterable() for name in field.parameters)}
    return [name for name, texts in arguments.items() if name in known and any(texts)]


def list_query(
    record_type: RecordType, fields: Sequence[Field], viewpoint: Viewer, wanted: Sequence[ColumnElement[bool]]
) -> Select[Any]:
    """The columns that the fields and the record's name need, without order."""
    names = dict.fromkeys(("id", *record_type.name_columns, *(name for field in fields for name in _shown(field))))
    return select(*(shown_column(record_type, name, viewpoint.rights) for name in names)).where(*wanted)


def order_from(record_type: RecordType, arguments: Arguments) -> Order:
    """Raises BadOrder."""
    asked = first(arguments, "sort") or DEFAULT_ORDER
    name = asked.removeprefix("-")
    if name not in sortable(record_type):
        raise BadOrder(f"{record_type.plural_label} can't be sorted by {name[:40]!r}.")
    columns = record_type.model.__table__.c
    column = None if name == _BY_ID else sorted_name(record_type) if name == DEFAULT_ORDER else columns[name]
    is_nullable = column is not None and name != DEFAULT_ORDER and bool(columns[name].nullable)
    return Order(name, columns.id, column, is_nullable, is_descending=asked.startswith("-"))


def sortable(record_type: RecordType) -> frozenset[str]:
    """The names that `sort` may have: each has an index."""
    return frozenset({DEFAULT_ORDER, *(field.name for field in record_type.fields if field.is_sortable)})


def chosen_fields(record_type: RecordType, preferences: Mapping[str, object]) -> tuple[Field, ...]:
    """The columns this person wants to see, in the declaration's order."""
    saved = preferences.get("columns")
    wanted = saved.get(record_type.plural) if isinstance(saved, Mapping) else None
    if not isinstance(wanted, list):
        return tuple(field for field in record_type.listable() if field.in_list)
    return tuple(field for field in record_type.listable() if field.name in wanted)


def first(arguments: Arguments, name: str) -> str:
    return (arguments.get(name) or [""])[0]


def _name(record_type: RecordType, arguments: Arguments, viewpoint: Viewer) -> Hashable:
    """Which list this is, whatever its page and order: the tenant's, filtered so."""
    filters = tuple((name, *texts) for name, texts in sorted(arguments.items()) if name not in _NOT_FILTERS)
    return current_tenant().id, record_type.name, filters, viewpoint


def _shown(field: Field) -> tuple[str, ...]:
    # The name of a linked record and its id, to make the link.
    return field.written_columns if field.references else (field.name,)
