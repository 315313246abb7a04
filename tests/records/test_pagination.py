"""Pages of a list: every row exactly once, in order, forwards and backwards, also with empty and equal values."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from qikbiz.crm.contacts.models import Contact
from qikbiz.crm.records.pagination import BadCursor, Order, Page, decode_cursor, fetch_page, with_cursor
from qikbiz.kernel.database import tenant_transaction
from tenants.context import Tenant
from tenants.runtime import Runtime

TABLE = Contact.__table__
ORDERS = {
    "name": Order("name", TABLE.c.id, TABLE.c.sort_name),
    "-name": Order("name", TABLE.c.id, TABLE.c.sort_name, is_descending=True),
    "email": Order("email", TABLE.c.id, TABLE.c.email, is_nullable=True),
    "-email": Order("email", TABLE.c.id, TABLE.c.email, is_nullable=True, is_descending=True),
    "created": Order("created", TABLE.c.id),
    "-updated": Order("updated", TABLE.c.id, TABLE.c.updated_at, is_descending=True),
}
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.uuids(),
            "sort_name": st.sampled_from(["", "a", "a", "b\t'", "é", "z\\"]),
            "email": st.none() | st.sampled_from(["a@x.com", "b@x.com", "b@x.com"]),
            "updated_at": st.sampled_from([datetime(2026, 1, 1, 0, 0, 0, 1, UTC), datetime(2026, 1, 1, tzinfo=UTC)]),
        }
    ),
    max_size=14,
    unique_by=lambda row: row["id"],
)


@pytest.fixture
def session(working: Runtime, fresh_tenant: Callable[..., Tenant]) -> Iterator[Session]:
    with tenant_transaction(fresh_tenant()) as session:
        yield session


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, order=st.sampled_from(sorted(ORDERS)), limit=st.integers(1, 5))
def test_walking_the_pages_meets_every_row_once_in_order(
    session: Session, rows: list[dict[str, Any]], order: str, limit: int
) -> None:
    session.execute(delete(Contact))
    if rows:
        session.execute(insert(Contact), rows)
    expected = _sorted(rows, ORDERS[order])
    pages = list(_forwards(session, ORDERS[order], limit))
    assert [row.id for page in pages for row in page.rows] == expected
    assert all(len(page.rows) == limit for page in pages[:-1])
    for earlier, later in pairwise(pages):
        back = _page(session, ORDERS[order], limit, before=later.previous)
        assert [row.id for row in back.rows] == [row.id for row in earlier.rows]
        assert back.next
        assert bool(back.previous) == (earlier is not pages[0])


@pytest.mark.parametrize(
    "cursor", ["x", "é", "AAAA", "W10", "WyJuYW1lIiwxLDJd", "a" * 3000, "bnVsbA", "W1tdLG51bGwsIjEiXQ"]
)
def test_a_made_up_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursor):
        decode_cursor(ORDERS["name"], cursor)


def test_a_cursor_of_another_order_is_refused(session: Session) -> None:
    session.execute(insert(Contact), [{"sort_name": name, "email": f"{name}@x.com"} for name in "abc"])
    page = _page(session, ORDERS["name"], 1)
    with pytest.raises(BadCursor):
        _page(session, ORDERS["email"], 1, after=page.next)
    with pytest.raises(BadCursor):
        _page(session, ORDERS["-name"], 1, after=page.next)


def _sorted(rows: list[dict[str, Any]], order: Order) -> list[UUID]:
    column = {"name": "sort_name", "updated": "updated_at"}.get(order.name, order.name)
    value = (lambda row: row[column]) if order.column is not None else (lambda _row: 0)
    empty = [row for row in rows if value(row) is None]
    filled = [row for row in rows if value(row) is not None]
    filled.sort(key=lambda row: (value(row), row["id"]), reverse=order.is_descending)
    empty.sort(key=lambda row: row["id"], reverse=order.is_descending)
    return [row["id"] for row in filled + empty]


def _forwards(session: Session, order: Order, limit: int) -> Iterator[Page]:
    page = _page(session, order, limit)
    yield page
    while page.next:
        page = _page(session, order, limit, after=page.next)
        yield page


def _page(session: Session, order: Order, limit: int, **where: str) -> Page:
    query = with_cursor(select(TABLE.c.id), order)
    return fetch_page(session, query, order, limit=limit, **where)
