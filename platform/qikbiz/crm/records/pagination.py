"""Pages that cost the same however deep they lie: each starts right behind the last row of the one before.

Rows without a value come last in both directions; they are a second segment with an order of its own, so that each
query walks one stretch of one index.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, tuple_
from sqlalchemy.orm import Session

from qikbiz.kernel.errors import Failure

LONGEST_CURSOR = 2_000


class BadCursor(Failure):
    """The address of a page was cut off, made up, or belongs to another order."""

    def __init__(self) -> None:
        super().__init__("This link is incomplete. Start again from the first page.")


@dataclass(frozen=True, slots=True)
class Order:
    """Rows by `column`, equal ones by `ident`. Without `column` by `ident` alone. `name` is what the address says."""

    name: str
    ident: ColumnElement[UUID]
    column: ColumnElement[Any] | None = None
    is_nullable: bool = False
    is_descending: bool = False


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place of one row in an order: its value there and its id."""

    value: object
    id: UUID


@dataclass(frozen=True, slots=True)
class Page:
    """`previous` and `next` are cursors as text, empty where there is no such page."""

    rows: Sequence[Row[Any]]
    previous: str = ""
    next: str = ""


def fetch_page(
    session: Session, query: Select[Any], order: Order, *, after: str = "", before: str = "", limit: int = 50
) -> Page:
    """The page of `query` behind the cursor `after`, or the one in front of `before`. Raises BadCursor.

    `query` must select the order's columns labelled `cursor_value` and `id`: see `with_cursor`.
    """
    if before:
        return _page_before(session, query, order, before, limit)
    cursor = decode_cursor(order, after) if after else None
    rows = _fetch(session, query, order, cursor, limit + 1, backwards=False)
    shown = rows[:limit]
    following = encode_cursor(order, shown[-1]) if len(rows) > limit else ""
    return Page(shown, encode_cursor(order, shown[0]) if after and shown else "", following)


def with_cursor(query: Select[Any], order: Order) -> Select[Any]:
    """The query with what `fetch_page` needs to name the places of its rows."""
    if order.column is None:
        return query
    return query.add_columns(order.column.label("cursor_value"))


def encode_cursor(order: Order, row: Row[Any]) -> str:
    value = row.cursor_value if order.column is not None else None
    content = [_order_tag(order), value if value is None else _cursor_text(value), row.id.hex]
    packed = json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(packed).decode("ascii").rstrip("=")


def _cursor_text(value: datetime | str) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def decode_cursor(order: Order, text: str) -> Cursor:
    """Raises BadCursor for anything that `encode_cursor` did not make for this order."""
    try:
        if len(text) > LONGEST_CURSOR:
            raise ValueError
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        tag, value, ident = json.loads(packed)
        if tag != _order_tag(order):
            raise ValueError
        return Cursor(_value(order, value), UUID(hex=ident))
    except (ValueError, TypeError, AttributeError, ArithmeticError, binascii.Error, RecursionError):
        raise BadCursor from None


def _page_before(session: Session, query: Select[Any], order: Order, before: str, limit: int) -> Page:
    rows = _fetch(session, query, order, decode_cursor(order, before), limit + 1, backwards=True)
    if len(rows) <= limit:
        # Nothing lies further ahead: show the whole first page instead of a torn one.
        return fetch_page(session, query, order, limit=limit)
    shown = rows[limit - 1 :: -1]
    return Page(shown, encode_cursor(order, shown[0]), encode_cursor(order, shown[-1]))


def _fetch(
    session: Session, query: Select[Any], order: Order, cursor: Cursor | None, wanted: int, *, backwards: bool
) -> list[Row[Any]]:
    rows: list[Row[Any]] = []
    for is_null in _segments(order, cursor, backwards=backwards):
        starts_here = cursor is not None and (cursor.value is None) == is_null
        segment = _segment(query, order, cursor if starts_here else None, is_null=is_null, backwards=backwards)
        rows += session.execute(segment.limit(wanted - len(rows))).all()
        if len(rows) >= wanted:
            break
    return rows


def _segments(order: Order, cursor: Cursor | None, *, backwards: bool) -> list[bool]:
    """Whether each segment to walk is the one of empty values, in the order to walk them."""
    if order.column is None:
        return [True]
    if not order.is_nullable:
        return [False]
    walked = [True, False] if backwards else [False, True]
    return walked if cursor is None else walked[walked.index(cursor.value is None) :]


def _segment(query: Select[Any], order: Order, cursor: Cursor | None, *, is_null: bool, backwards: bool) -> Select[Any]:
    is_falling = order.is_descending != backwards
    keys: list[ColumnElement[Any]] = [order.ident]
    if order.column is not None and is_null:
        query = query.where(order.column.is_(None))
    elif order.column is not None:
        keys = [order.column, order.ident]
        query = query.where(order.column.is_not(None)) if order.is_nullable else query
    if cursor is not None:
        query = query.where(_beyond(keys, cursor, is_falling=is_falling))
    return query.order_by(*(key.desc() if is_falling else key.asc() for key in keys))


def _beyond(keys: list[ColumnElement[Any]], cursor: Cursor, *, is_falling: bool) -> ColumnElement[bool]:
    if len(keys) == 1:
        return keys[0] < cursor.id if is_falling else keys[0] > cursor.id
    place, here = tuple_(*keys), tuple_(cursor.value, cursor.id)
    return place < here if is_falling else place > here


def _order_tag(order: Order) -> str:
    return ("-" if order.is_descending else "") + order.name


def _value(order: Order, value: object) -> object:
    if order.column is None or (value is None and order.is_nullable):
        return None
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError
    # JSON can say half a character, which no column holds. The error is a ValueError.
    value.encode("utf-8")
    read = _READERS.get(order.column.type.python_type, str)
    return read(value)


def _number(text: str) -> Decimal:
    found = Decimal(text)
    if not found.is_finite():
        raise ValueError
    return found


_READERS: dict[type, Callable[[str], object]] = {
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    int: int,
    Decimal: _number,
    UUID: UUID,
}
