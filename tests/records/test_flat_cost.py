"""A list page costs the same for a thousand rows as for a million: no list reads or sorts the whole table."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Select, event, select, text
from sqlalchemy.orm import Session

from qikbiz.crm.companies.models import Company
from qikbiz.crm.contacts.models import Contact
from qikbiz.crm.records.filters import Viewer
from qikbiz.crm.records.listing import ListPage, chosen_fields, list_page
from qikbiz.crm.records.row_counts import Estimate, estimate
from qikbiz.crm.records.search_fallback import search_with_fallback
from qikbiz.crm.schema.registry import RECORD_TYPES
from qikbiz.identity.roles.builtin_roles import everything
from qikbiz.kernel.database import tenant_transaction
from tenants.context import Tenant

ROWS = 30_000
FILL = """
insert into contacts (id, first_name, last_name, sort_name, email, phone, tags, owner_id, company_id, updated_at)
select gen_random_uuid(), 'First' || i % 977, 'Last' || i % 997, 'last' || i % 997 || ', first' || i % 977,
    case when i % 10 > 0 then 'user' || i || '@example.com' end, '+4366412' || i,
    case when i % 500 = 0 then array['VIP'] else '{}' end,
    case when i % 100 = 0 then '00000000-0000-0000-0000-00000000000a'::uuid end, null, now() - i * interval '1 second'
from generate_series(1, :rows) i
"""
ADDRESSES = (
    {},
    {"sort": ["-name"]},
    {"sort": ["email"]},
    {"sort": ["-email"]},
    {"sort": ["updated_at"]},
    {"sort": ["-updated_at"]},
    {"sort": ["created_at"]},
    {"owner_id": ["00000000-0000-0000-0000-00000000000a"]},
    {"tags": ["VIP"]},
    {"q": ["user777"]},
    {"q": ["l"]},
)


@pytest.fixture(scope="module")
def large(app: Any, world: Any, request: pytest.FixtureRequest) -> Iterator[Callable[[], Any]]:
    """A function that opens a transaction in a tenant with many contacts."""
    from provisioning.create import create_tenant
    from provisioning.servers import connect_as_provisioner

    create_tenant(world.settings, "many-rows-org", "Many Rows", "office@many.example.com")
    world.runtime.directory.look()
    tenant: Tenant = world.runtime.directory.tenant_by_slug("many-rows-org")
    with app.app_context(), tenant_transaction(tenant, statement_timeout_ms=60_000) as session:
        session.execute(text(FILL), {"rows": ROWS})
    with connect_as_provisioner(world.settings, autocommit=True) as owner:
        owner.execute("set role qb_owner")
        owner.execute(f'analyze "{tenant.schema}".contacts')

    def opened() -> Any:
        return tenant_transaction(tenant)

    with app.app_context():
        yield opened


def plans(session: Session, arguments: dict[str, list[str]]) -> list[dict[str, Any]]:
    """The plans of all queries that one page makes."""
    seen: list[tuple[str, Any]] = []

    def keep(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        if statement.lstrip().startswith("SELECT") and " FROM contacts" in statement.replace("\n", " "):
            seen.append((statement, parameters))

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", keep)
    try:
        page_of(session, arguments)
    finally:
        event.remove(engine, "before_cursor_execute", keep)
    assert seen
    return [_plan(session, statement, parameters) for statement, parameters in seen]


def _plan(session: Session, statement: str, parameters: Any) -> dict[str, Any]:
    content = session.connection().exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar_one()
    plan: dict[str, Any] = (json.loads(content) if isinstance(content, str) else content)[0]["Plan"]
    return plan


def page_of(session: Session, arguments: dict[str, list[str]]) -> ListPage:
    contacts = RECORD_TYPES["contacts"]
    return list_page(session, contacts, chosen_fields(contacts, {}), arguments, Viewer(everything()))


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


@pytest.mark.parametrize("arguments", ADDRESSES, ids=str)
def test_no_list_reads_or_sorts_the_table(large: Callable[[], Any], arguments: dict[str, list[str]]) -> None:
    with large() as session:
        for plan in plans(session, arguments):
            for node in nodes(plan):
                assert node["Node Type"] != "Seq Scan", plan
                if node["Node Type"] in ("Sort", "Incremental Sort"):
                    assert node["Plan Rows"] < ROWS / 50, plan


def test_a_page_deep_in_the_list_starts_in_the_index(large: Callable[[], Any]) -> None:
    with large() as session:
        page = page_of(session, {})
        for plan in plans(session, {"after": [page.next]}):
            used = [node for node in nodes(plan) if "Index Cond" in node]
            assert used, plan
            assert "ROW(sort_name, id)" in used[0]["Index Cond"]


def test_numbers_are_guessed_above_a_thousand_and_counted_below(large: Callable[[], Any]) -> None:
    with large() as session:
        assert page_of(session, {}).total.is_about
        assert str(page_of(session, {}).total).startswith("about ")
        few: Select[Any] = select(Contact.id).where(Contact.tags.contains(["VIP"]), text("tags <> '{}'"))
        assert estimate(session, few) == Estimate(ROWS // 500)
        assert estimate(session, select(Company.id)) == Estimate(0)


def test_a_search_that_fits_most_rows_is_answered_by_walking_the_list(
    large: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qikbiz.crm.records.search_fallback.A_MOMENT_MS", 1)
    with large() as session:
        expected = [row.id for row in page_of(session, {}).rows]
        assert [row.id for row in page_of(session, {"q": ["user"]}).rows] != []
        assert [row.id for row in page_of(session, {"q": ["last"]}).rows] == expected
        assert session.scalar(text("select current_setting('enable_bitmapscan')")) == "on"


def test_an_impatient_search_leaves_the_transaction_usable(large: Callable[[], Any]) -> None:
    with large() as session:
        tries: list[int] = []

        def look() -> int:
            tries.append(1)
            if len(tries) == 1:
                session.execute(text("select pg_sleep(2)"))
            return len(tries)

        assert search_with_fallback(session, look) == 2
        assert session.scalar(text("select current_setting('statement_timeout')")) == "10s"
        assert session.scalar(select(Contact.id).limit(1)) is not None
