"""Addresses are where the data map says and nowhere else; none after 30 days, and after a year no networks either."""

from __future__ import annotations

import io
import logging
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from provisioning.servers import Connection
from qikbiz.app.request_pipeline import QikBiz
from qikbiz.identity.sessions.retention import delete_expired_logins, delete_expired_staff_logins
from qikbiz.jobs.kinds import kinds
from qikbiz.kernel import clock
from qikbiz.kernel.actors import Actor, acting_as
from qikbiz.kernel.database import control_transaction, tenant_transaction
from qikbiz.security.access_log.data_map import PLACES, Database
from qikbiz.security.access_log.retention import clear_expired_addresses
from qikbiz.security.ip_reputation import actions, retention, rules
from qikbiz.security.ip_reputation.events import record_event
from qikbiz.transfer.exports.actions import ask_for_export, file_of
from qikbiz.transfer.exports.models import Export
from qikbiz.transfer.exports.selection import Selection
from tenants.context import Tenant
from tenants.runtime import Runtime
from tests.fixtures.web import Browser
from tests.fixtures.world import World
from workers.run_job import perform
from workers.schedule import schedule

pytestmark = pytest.mark.promise("P5")
MARKED = ("203.0.113.201", "2001:db8:aaaa:1::77")
WHOLE = re.compile(r"203\.0\.113\.20\d|2001:db8:aaaa:\w")
ANYTHING = re.compile(r"203\.0\.113\.|2001:db8:aaaa:")


@pytest.fixture(autouse=True)
def clean(world: World, working: Runtime, owner_connection: Connection) -> Iterator[None]:
    yield
    with control_transaction() as session:
        for table in ("abuse_events", "address_rules", "address_scores"):
            session.execute(text(f"DELETE FROM {table}"))
        session.execute(
            text(f"DELETE FROM staff_sessions WHERE address_prefix ~ '{ANYTHING.pattern}'".replace(":", "\\:"))
        )
    with working.redis.client() as client:
        for key in client.scan_iter(working.redis.platform_key("*")):
            client.delete(key)
    owner_connection.execute(f"DELETE FROM {world.acme.tenant.schema}.access_events".encode())
    for table in ("user_sessions", "remember_series"):
        query = f"DELETE FROM {world.acme.tenant.schema}.{table} WHERE address_prefix ~ '{ANYTHING.pattern}'"
        owner_connection.execute(query.encode())


@pytest.fixture
def days_ago(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """A function that moves the clock back; 0 is now."""
    real = clock.now

    def move(days: int) -> None:
        monkeypatch.setattr(clock, "now", lambda: real() - timedelta(days=days))

    return move


@pytest.fixture
def lived(app: QikBiz, world: World, working: Runtime) -> Callable[[], None]:
    """A function that does everything which records an address, from marked ones."""

    def live() -> None:
        for number, address in enumerate(MARKED):
            for person, host in ((world.alice, "acme.localhost"), (world.olivia, "console.localhost")):
                browser = Browser(app, host)
                browser.address = address
                browser.log_in(person.email, "wrong wrong wrong")
                browser.log_in("nobody@example.com", f"from {number}")
                browser.log_in(person.email, person.password, remember=person is world.alice)
                browser.get("/wp-login.php")
                browser.get("/access-log", query_string={"network": address})
                browser.get("/access-log.csv", query_string={"network": address})
                browser.post("/profile/sessions/end-others")
                browser.post("/contacts/no-such", {}, csrf=False)
                browser.get("/", headers={"X-Forwarded-For": MARKED[0]})
            for _ in range(60):
                record_event("login_failed", address=address, account="a@example.com")
            with control_transaction() as session:
                unit = str(session.scalar(text("SELECT unit FROM abuse_events WHERE address = :a"), {"a": address}))
                actions.check_address(unit)
            with control_transaction():
                rule = rules.decide(address, "allow", f"The office at {address} is Acme's", minutes=10)
                rules.revoke(rule.id, f"{address} is not Acme's after all")
            locked_out = Browser(app, "acme.localhost")
            locked_out.address = address
            locked_out.get("/login")

    return live


def test_addresses_stand_only_where_the_data_map_says(
    world: World, lived: Callable[[], None], everything: Callable[[], dict[tuple[str, str, str], str]]
) -> None:
    lived()
    found = everything()
    declared = {(place.database, place.table, place.column) for place in PLACES}
    assert set(found) - declared == set(), "security/access_log/data_map.py does not name the place of an address"
    whole = {place for place, content in found.items() if WHOLE.search(content)}
    networks_only = {(p.database, p.table, p.column) for p in PLACES if p.holds == "network"}
    assert whole & networks_only == set()
    # The test sees something at all.
    assert ("tenant", "access_events", "address") in whole and ("control", "address_rules", "reason") in whole


EXPORTS = (("everything", "portable"), ("everything", "spreadsheet"), ("audit", "audit"))


def test_no_export_holds_an_address_of_a_visitor(
    world: World, lived: Callable[[], None], subtests: pytest.Subtests
) -> None:
    """The access log's own file is the one place: an administrator who downloads it asked for addresses."""
    lived()
    alice = Actor("user", world.alice.id, world.alice.name)
    for scope, product in EXPORTS:
        with subtests.test(f"{scope}, {product}"):
            with acting_as(alice), tenant_transaction(world.acme.tenant):
                asked = ask_for_export(Selection(scope, product))
            assert perform(world.acme.tenant.id, asked.job_id) == "done"
            with tenant_transaction(world.acme.tenant) as session:
                made = session.get_one(Export, asked.id)
                archive = zipfile.ZipFile(io.BytesIO(b"".join(file_of(made).read())))
                session.delete(made)
            written = {name: archive.read(name).decode("utf-8", "replace") for name in archive.namelist()}
            assert [name for name, content in written.items() if ANYTHING.search(content)] == []
            assert any("Alice" in content for content in written.values())


def test_after_thirty_days_no_address_is_left_and_after_a_year_no_network(
    world: World,
    lived: Callable[[], None],
    days_ago: Callable[[int], None],
    everything: Callable[[], dict[tuple[str, str, str], str]],
) -> None:
    days_ago(31)
    lived()
    days_ago(0)
    assert any(WHOLE.search(content) for content in everything().values())
    run_every_retention(world)
    left = everything()
    assert {place: content for place, content in left.items() if WHOLE.search(content)} == {}
    assert ("tenant", "access_events", "prefix") in left


def test_after_a_year_only_counts_are_left(
    world: World,
    lived: Callable[[], None],
    days_ago: Callable[[int], None],
    everything: Callable[[], dict[tuple[str, str, str], str]],
) -> None:
    counted = counts(world.acme.tenant)
    days_ago(366)
    lived()
    days_ago(0)
    run_every_retention(world)
    assert everything() == {}
    assert counts(world.acme.tenant) > counted


def test_forgetting_twice_changes_nothing(world: World, working: Runtime, days_ago: Callable[[int], None]) -> None:
    run_every_retention(world)
    before = counts(world.acme.tenant)
    run_every_retention(world)
    assert counts(world.acme.tenant) == before


def test_every_place_is_forgotten_by_a_job_that_is_scheduled() -> None:
    scheduled = {entry.kind for entry in schedule()}
    assert {place.job for place in PLACES} <= scheduled & set(kinds())


def test_every_place_exists(world: World, working: Runtime) -> None:
    for place in PLACES:
        run(place.database, world.acme.tenant, f"SELECT {place.column} FROM {place.table} LIMIT 0")


def test_no_log_line_names_an_address(lived: Callable[[], None], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="qikbiz"):
        lived()
    lines = [f"{record.getMessage()} {sorted(map(str, vars(record).values()))}" for record in caplog.records]
    assert lines and [line for line in lines if ANYTHING.search(line)] == []


@pytest.fixture
def everything(world: World, working: Runtime) -> Callable[[], dict[tuple[str, str, str], str]]:
    """A function that looks through both databases, Redis and the files: {(database, table, column): what it found}."""

    def look() -> dict[tuple[str, str, str], str]:
        found = {}
        for database, tables in (("tenant", world.acme.tenant), ("control", world.acme.tenant)):
            found |= in_database(database, tables)  # type: ignore[arg-type]  # one of the two literals
        return found | in_redis(working) | in_files(world)

    return look


def in_database(database: Database, tenant: Tenant) -> dict[tuple[str, str, str], str]:
    from qikbiz.kernel.models import control_metadata, tenant_metadata

    metadata = tenant_metadata() if database == "tenant" else control_metadata()
    found = {}
    for table in metadata.sorted_tables:
        for column in table.columns:
            name = f'"{column.name}"::text'
            query = f"SELECT {name} FROM {table.name} WHERE {name} ~ '{ANYTHING.pattern}'"
            rows = run(database, tenant, query)
            if rows:
                found[(database, table.name, column.name)] = " ".join(rows)
    return found


def in_redis(working: Runtime) -> dict[tuple[str, str, str], str]:
    found = {}
    with working.redis.client() as client:
        for key in client.scan_iter("*"):
            content = str(key) + str(client.dump(key) if client.type(key) != "string" else client.get(key))
            if ANYTHING.search(content):
                found[("redis", str(key), "")] = content
    return found


def in_files(world: World) -> dict[tuple[str, str, str], str]:
    found = {}
    for path in world.settings.home.rglob("*"):
        is_server = any(part in ("postgres", "pgdata", "valkey", "pg") for part in path.parts)
        if is_server or not path.is_file():
            continue
        content = path.read_bytes().decode("utf-8", "replace")
        # Compiled templates hold the examples of networks that forms give, and no visitor's address.
        is_template = path.parent == world.settings.home / "templates"
        if (WHOLE if is_template else ANYTHING).search(content):
            found[("file", path.name, "")] = content
    return found


def run(database: Database, tenant: Tenant, query: str) -> list[str]:
    def answers(session: Session) -> list[str]:
        return [str(row[0]) for row in session.execute(text(query.replace(":", "\\:").replace("\\:\\:", "::")))]

    if database == "tenant":
        with tenant_transaction(tenant) as session:
            return answers(session)
    with control_transaction() as session:
        return answers(session)


def run_every_retention(world: World) -> None:
    for tenant in (world.acme.tenant, world.globex.tenant):
        with tenant_transaction(tenant) as session:
            clear_expired_addresses(session)
            delete_expired_logins(session)
    with control_transaction() as session:
        retention.delete_expired_addresses()
        delete_expired_staff_logins(session)


def counts(tenant: Tenant) -> tuple[int, int]:
    with tenant_transaction(tenant) as session:
        own = session.scalar(text("SELECT coalesce(sum(events), 0) FROM access_counts"))
    with control_transaction() as session:
        abuse = session.scalar(text("SELECT coalesce(sum(events), 0) FROM abuse_counts"))
    return int(own or 0), int(abuse or 0)
