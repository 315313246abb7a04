"""Administrators see who signed in at their organisation and who tried; others don't, and the log can't be changed."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from qikbiz.kernel import clock
from qikbiz.kernel.actors import Actor, acting_as
from qikbiz.kernel.database import tenant_transaction
from qikbiz.security.access_log.kinds import AccessKind
from qikbiz.security.access_log.models import AccessEvent
from qikbiz.security.access_log.recorder import NOT_AN_ADDRESS, record_access
from tenants.context import Tenant
from tenants.runtime import Runtime
from tests.fixtures.web import Browser
from tests.fixtures.world import World

ClientFor = Callable[[str], Browser]
BrowserAt = Callable[[str], Browser]


@pytest.fixture(autouse=True)
def empty_log(world: World, owner_connection: object) -> Iterator[None]:
    yield
    for tenant in (world.acme.tenant, world.globex.tenant):
        owner_connection.execute(f"DELETE FROM {tenant.schema}.access_events")  # type: ignore[attr-defined]


def events_of(tenant: Tenant, kind: AccessKind, account: str = "") -> list[AccessEvent]:
    with tenant_transaction(tenant) as session:
        query = select(AccessEvent).where(AccessEvent.kind == kind.value).order_by(AccessEvent.id)
        found = list(session.scalars(query))
    return [event for event in found if not account or event.account == account]


@pytest.mark.promise("P5")
def test_a_login_says_who_when_from_where_and_on_what(world: World, working: Runtime, browser_at: BrowserAt) -> None:
    browser = browser_at("acme.localhost")
    browser.address = "198.51.100.9"
    browser.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) Firefox/128.0"
    browser.log_in(world.ben.email, world.ben.password)
    event = events_of(world.acme.tenant, AccessKind.LOGIN)[-1]
    assert (event.person_name, event.outcome) == ("Ben", "done")
    assert (str(event.address), str(event.prefix)) == ("198.51.100.9", "198.51.100.0/24")
    assert event.device == "Firefox on Linux"


@pytest.mark.promise("P5")
def test_a_failed_login_stays_written_although_its_request_is_undone(
    world: World, working: Runtime, browser_at: BrowserAt
) -> None:
    browser = browser_at("acme.localhost")
    assert browser.log_in(world.ben.email, "not his password at all").status_code == 401
    assert browser.log_in("stranger@example.com", "something or other").status_code == 401
    known, unknown = events_of(world.acme.tenant, AccessKind.LOGIN)[-2:]
    assert (known.person_name, known.account, known.outcome) == ("Ben", "", "failed")
    assert (unknown.person_kind, unknown.account, unknown.outcome) == ("nobody", "stranger@example.com", "failed")


@pytest.mark.promise("P5")
def test_a_password_typed_as_the_name_is_not_kept(working: Runtime, world: World) -> None:
    with tenant_transaction(world.acme.tenant), acting_as(Actor("anonymous")):
        record_access(AccessKind.LOGIN, "failed", account="correct horse battery")
    assert events_of(world.acme.tenant, AccessKind.LOGIN)[-1].account == NOT_AN_ADDRESS


@pytest.mark.promise("P5")
def test_what_was_refused_is_written_even_when_the_page_is_an_error(
    world: World, working: Runtime, browser_at: BrowserAt
) -> None:
    browser = browser_at("acme.localhost")
    for _ in range(12):
        last = browser.log_in("guessed@example.com", "wrong wrong wrong")
    assert last.status_code == 429
    assert [event.outcome for event in events_of(world.acme.tenant, AccessKind.LOGIN, "guessed@example.com")][
        -1
    ] == "refused"


@pytest.mark.promise("P5")
def test_logging_out_and_changing_the_password_are_written(
    world: World, working: Runtime, log_in: Callable[..., Browser]
) -> None:
    here, there = log_in(world.ben), log_in(world.ben)
    here.post("/profile/sessions/end-others")
    assert there.get("/").status_code == 303
    here.post("/logout")
    assert events_of(world.acme.tenant, AccessKind.SESSION_ENDED)[-1].person_name == "Ben"
    assert events_of(world.acme.tenant, AccessKind.LOGOUT)[-1].person_name == "Ben"


@pytest.mark.promise("P5")
def test_administrators_read_it_and_the_reading_is_audited(
    client_for: ClientFor, world: World, browser_at: BrowserAt, rows_of_audit: Callable[[str], int]
) -> None:
    browser_at("acme.localhost").log_in("stranger@example.com", "something or other")
    before = rows_of_audit("access_log.read")
    page = client_for("alice").get("/access-log")
    assert page.status_code == 200
    assert "stranger@example.com" in page.text and "Events by day" in page.text
    assert "Full IP addresses are kept for 30 days" in page.text
    assert rows_of_audit("access_log.read") == before + 1


@pytest.fixture
def rows_of_audit(world: World, working: Runtime) -> Callable[[str], int]:
    def count(action: str) -> int:
        with tenant_transaction(world.acme.tenant) as session:
            query = text("SELECT count(*) FROM audit_events WHERE action = :action")
            return int(session.scalar(query, {"action": action}) or 0)

    return count


@pytest.mark.promise("P5")
@pytest.mark.parametrize("name", ["ben", "bob"])
@pytest.mark.parametrize("path", ["/access-log", "/access-log.csv"])
def test_nobody_else_reads_it(client_for: ClientFor, name: str, path: str) -> None:
    assert client_for(name).get(path).status_code == 403


@pytest.mark.promise("P5")
def test_another_organisation_sees_nothing_of_it(client_for: ClientFor, browser_at: BrowserAt) -> None:
    browser_at("acme.localhost").log_in("stranger@example.com", "something or other")
    assert "stranger@example.com" not in client_for("mallory").get("/access-log").text


@pytest.mark.promise("P5")
def test_it_is_filtered_by_person_kind_outcome_day_and_network(
    client_for: ClientFor, world: World, browser_at: BrowserAt
) -> None:
    near, far = browser_at("acme.localhost"), browser_at("acme.localhost")
    near.address, far.address = "198.51.100.9", "192.0.2.77"
    near.log_in("near@example.com", "wrong wrong wrong")
    far.log_in("far@example.com", "wrong wrong wrong")
    alice = client_for("alice")
    today = f"{clock.now():%Y-%m-%d}"
    for query, shown, hidden in (
        ({"network": "198.51.100.0/24"}, "near@", "far@"),
        ({"network": "192.0.2.77"}, "far@", "near@"),
        ({"person": "nobody", "kind": "login", "outcome": "failed", "from": today}, "near@", "nothing-hidden"),
        ({"person": str(world.ben.id)}, "User is Ben", "near@"),
        ({"kind": "logout"}, "Event is sign-out", "near@"),
        ({"to": "2001-01-01"}, "No event matches", "near@"),
    ):
        page = alice.get("/access-log", query_string=query).text
        assert shown in page and hidden not in page, query


@pytest.mark.parametrize(
    "query",
    [
        {"network": "10.0.0.0/99"},
        {"network": "<script>"},
        {"person": "x"},
        {"kind": "no-such"},
        {"outcome": "'; --"},
        {"from": "yesterday"},
        {"to": "9999-12-31"},
        {"to": "0001-01-01"},
        {"from": "0001-01-01"},
        {"before": "1"},
    ],
)
def test_a_rubbish_filter_is_answered_in_words(client_for: ClientFor, query: dict[str, str]) -> None:
    assert client_for("alice").get("/access-log", query_string=query).status_code == 400


def test_the_file_holds_what_the_page_shows_and_no_formula(
    client_for: ClientFor, world: World, browser_at: BrowserAt, rows_of_audit: Callable[[str], int]
) -> None:
    browser_at("acme.localhost").log_in("=cmd@example.com", "something or other")
    before = rows_of_audit("access_log.exported")
    response = client_for("alice").get("/access-log.csv", query_string={"person": "nobody"})
    assert response.mimetype == "text/csv" and ".spreadsheet.csv" in response.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(response.text.removeprefix("\ufeff"))))
    assert rows[0]["Account tried"] == "'=cmd@example.com"
    assert {row["Person"] for row in rows} == {""}
    assert rows_of_audit("access_log.exported") == before + 1


@pytest.mark.promise("P5")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE access_events SET outcome = 'done'",
        "UPDATE access_events SET person_name = 'Nobody'",
        "TRUNCATE access_events",
    ],
)
def test_the_database_lets_the_organisation_s_own_role_change_nothing(
    world: World, working: Runtime, statement: str
) -> None:
    with pytest.raises(DBAPIError, match="permission denied"), tenant_transaction(world.acme.tenant) as session:
        session.execute(text(statement))


@pytest.mark.promise("P5")
def test_the_database_forgets_nothing_before_its_time(world: World, working: Runtime) -> None:
    with tenant_transaction(world.acme.tenant):
        record_access(AccessKind.LOGIN, account="early@example.com")
    with tenant_transaction(world.acme.tenant) as session:
        assert session.execute(text("DELETE FROM access_events")).rowcount == 0  # type: ignore[attr-defined]
        assert session.execute(text("UPDATE access_events SET address = NULL")).rowcount == 0  # type: ignore[attr-defined]


@pytest.mark.promise("P5")
def test_an_old_event_can_t_be_given_another_address(
    world: World, working: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = clock.now() - timedelta(days=31)
    with tenant_transaction(world.acme.tenant) as session:
        session.add(AccessEvent(at=old, kind="login", outcome="done", person_kind="nobody", address="203.0.113.5"))
    with pytest.raises(DBAPIError, match="row-level security"), tenant_transaction(world.acme.tenant) as session:
        session.execute(text("UPDATE access_events SET address = '192.0.2.1'"))
