"""P6: lists and searches on screen are written down: who, which, by which filters and how many, and never a value."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from provisioning.audit_retention import prune_audit
from provisioning.servers import Connection
from qikbiz.audit import page_reads
from qikbiz.audit.models import AuditEvent, PageRead
from qikbiz.audit.page_reads import broken_seals, seal_reads
from qikbiz.audit.queries import id_at
from qikbiz.kernel.database import before_commit, tenant_transaction
from tenants.context import Tenant
from tests.fixtures.people import Person
from tests.fixtures.web import Browser
from tests.fixtures.world import World

pytestmark = pytest.mark.promise("P6")
SECRET = "Zaphod"


@pytest.fixture
def tenant(fresh_tenant: Callable[..., Tenant], working: object) -> Tenant:
    return fresh_tenant("Watched Ltd")


@pytest.fixture
def ada(tenant: Tenant, add_person: Callable[..., Person], log_in: Callable[..., Browser]) -> Browser:
    """An administrator before a list with one contact."""
    browser = log_in(add_person(tenant, "Ada", "administrator"))
    assert browser.post("/contacts", {"first_name": SECRET, "last_name": "Beeblebrox"}).status_code == 303
    return browser


def reads(tenant: Tenant) -> list[PageRead]:
    with tenant_transaction(tenant) as session:
        return list(session.scalars(select(PageRead).order_by(PageRead.id)))


def test_one_row_a_page_with_who_type_filters_page_and_count_but_no_value(tenant: Tenant, ada: Browser) -> None:
    before = len(reads(tenant))
    for path in (
        f"/contacts?q={SECRET}&country=AT&owner_id=me&sort=-name",
        "/companies",
        f"/search?q={SECRET}",
        f"/contacts/suggestions?q={SECRET}",
        "/contacts/trash",
        "/",
    ):
        assert ada.get(path, check=False).status_code == 200, path
    assert ada.get("/contacts?owner_id=nonsense").status_code == 400, "what is refused was not seen"
    assert ada.get(f"/contacts?{SECRET}=1").status_code == 200, "a made-up filter narrows nothing and is not named"
    found = [(one.view, one.record_type, one.filters, one.part, one.shown) for one in reads(tenant)[before:]]
    assert found == [
        ("list", "contact", ["country", "owner_id", "q"], "first", 0),
        ("list", "company", [], "first", 0),
        ("search", "", ["q"], "first", 1),
        ("suggestions", "contact", [], "first", 1),
        ("trash", "contact", [], "first", 0),
        ("home", "contact", [], "first", 1),
        ("list", "contact", [], "first", 1),
    ]
    with tenant_transaction(tenant) as session:
        every = session.execute(text("SELECT string_agg(page_reads::text, ' ') FROM page_reads")).scalar_one()
    assert SECRET not in every and "Ada" in every


def test_administrators_see_them_by_person_and_nobody_else_does(
    tenant: Tenant, ada: Browser, add_person: Callable[..., Person], log_in: Callable[..., Browser], client_for: Any
) -> None:
    ben = add_person(tenant, "Ben", "member")
    colleague = log_in(ben)
    colleague.get("/contacts?country=AT")
    page = ada.follow(ada.get("/audit?action=reads"))
    assert "List: Contacts" in page.text and "country" in page.text and "Ben" in page.text
    assert "List: Contacts" in ada.get(f"/audit/reads?person={ben.id}").text
    assert "No list or search matches" in ada.get("/audit/reads?to=2020-01-01").text
    assert colleague.get("/audit/reads").status_code == 403
    assert "country" not in client_for("mallory").get("/audit/reads").text
    assert ada.get("/audit/reads?person=x").status_code in (400, 404)


def test_the_role_of_the_product_can_only_add(tenant: Tenant, ada: Browser) -> None:
    ada.get("/contacts")
    for statement in ("UPDATE page_reads SET shown = 0", "DELETE FROM page_reads", "TRUNCATE page_reads"):
        with pytest.raises(DBAPIError) as refused, tenant_transaction(tenant) as session:
            session.execute(text(statement))
        assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege), statement


def test_a_list_takes_no_turn_in_the_chain_and_does_not_wait_for_the_disk(
    tenant: Tenant, ada: Browser, owner_connection: Connection
) -> None:
    """While another transaction holds the chain's lock for long, lists go on; a change has to wait."""
    chained = _events(tenant)
    with owner_connection.transaction():
        owner_connection.execute(f'LOCK TABLE "{tenant.schema}".audit_turns IN SHARE UPDATE EXCLUSIVE MODE'.encode())
        assert ada.get("/contacts").status_code == 200
    assert _events(tenant) == chained
    assert [one.view for one in reads(tenant)][-1] == "list"


def test_once_an_hour_one_event_of_the_chain_vouches_for_them(
    tenant: Tenant, ada: Browser, owner_connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        ada.get("/contacts")
    assert seal_reads(tenant) == 0, "what may still be joined by an earlier one waits"
    monkeypatch.setattr(page_reads, "now", lambda: datetime.now(UTC) + timedelta(minutes=6))
    count = len(reads(tenant))
    assert (seal_reads(tenant), seal_reads(tenant)) == (count, 0)
    ada.get("/companies")
    monkeypatch.setattr(page_reads, "now", lambda: datetime.now(UTC) + timedelta(minutes=12))
    ada.get("/companies")
    monkeypatch.setattr(page_reads, "now", lambda: datetime.now(UTC) + timedelta(minutes=30))
    assert seal_reads(tenant) == 2
    with tenant_transaction(tenant) as session:
        assert broken_seals(session) == []
        sealed = session.scalars(select(AuditEvent).where(AuditEvent.action == page_reads.SEALED)).all()
        assert [event.details["reads"] for event in sealed] == [count, 2]
    for change in ("SET shown = shown + 1", "SET shown = shown - 1", "DELETE"):
        first = reads(tenant)[0].id
        act = f"UPDATE {{}}.page_reads {change}" if "SET" in change else "DELETE FROM {}.page_reads"
        owner_connection.execute(f"{act} WHERE id = %s".format(f'"{tenant.schema}"').encode(), (first,))
        with tenant_transaction(tenant) as session:
            assert broken_seals(session) == ([] if "-" in change else [sealed[0].seq]), change


def test_they_go_after_a_year_whatever_is_kept_of_the_audit(tenant: Tenant, ada: Browser, world: World) -> None:
    ada.get("/contacts")
    old = datetime.now(UTC) - timedelta(days=370)
    with tenant_transaction(tenant) as session:
        values = {"at": old, "actor_kind": "user", "view": "list", "shown": 1}
        session.add(PageRead(id=UUID(int=id_at(old).int + 1), **values))
    kept = len(reads(tenant))
    prune_audit(world.settings, tenant)
    assert len(reads(tenant)) == kept - 1


@pytest.mark.parametrize("writes", [False, True])
def test_only_a_page_that_writes_nothing_else_does_not_wait_for_the_disk(tenant: Tenant, writes: bool) -> None:
    with tenant_transaction(tenant) as session:
        session.execute(text("SET LOCAL synchronous_commit = on"))
        if writes:
            session.execute(text("UPDATE users SET last_seen_at = now()"))
        page_reads.record_page("list", "contact", shown=0)
        seen: list[str] = []
        before_commit(session, lambda: seen.append(session.scalar(text("SHOW synchronous_commit")) or ""))
    assert (seen == ["off"]) == (not writes), seen


def _events(tenant: Tenant) -> int:
    with tenant_transaction(tenant) as session:
        return int(session.execute(text("SELECT count(*) FROM audit_events")).scalar_one())
