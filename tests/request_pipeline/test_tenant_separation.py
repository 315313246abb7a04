"""Two organisations whose rows all bear the same ids: no page, act, log line or key of one touches the other."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest
from psycopg import sql
from sqlalchemy import text
from werkzeug.routing import Rule

from provisioning.servers import Connection
from qikbiz.app.request_pipeline import QikBiz
from qikbiz.kernel.database import tenant_transaction
from qikbiz.kernel.models import tenant_metadata
from tenants.context import Tenant
from tenants.control import new_id
from tests.fixtures.web import Browser
from tests.fixtures.world import Organisation
from tests.imports.test_wizard import upload
from tests.tenancy.twin_tenants import checksum

pytestmark = pytest.mark.promise("P8")
LEFT, RIGHT = "canary-of-left", "canary-of-right"
# What opens the product or moves inside it stays each organisation's own.
OWN = {"audit_turns", "import_rows", "import_updates", "imports", "jobs", "remember_series", "schema_version",
       "user_factors", "user_sessions", "user_tokens"}  # fmt: skip
# Would end the walk's own login.
LEFT_OUT = {"accounts.logout"}
ROLES = ("bob", "alice")


@dataclass
class TwinOrganisations:
    left: Organisation
    right: Tenant
    ids: dict[str, str]
    log_in: Callable[..., Browser]

    def browsers(self, name: str) -> tuple[Browser, Browser]:
        """The same person, by id, address and password, in both."""
        person = self.left.people[name]
        return self.left.browser(name), self.log_in(replace(person, tenant=self.right))


@pytest.fixture
def twins(
    organisation: Organisation,
    fresh_tenant: Callable[..., Tenant],
    log_in: Callable[..., Browser],
    owner_connection: Connection,
) -> TwinOrganisations:
    right = fresh_tenant(f"Right {RIGHT}")
    ids = fill(organisation)
    for table in tenant_metadata().sorted_tables:
        if table.name not in OWN:
            copy(owner_connection, table, organisation.tenant, right)
    both = TwinOrganisations(organisation, right, ids, log_in)
    # The file of an import is no row: the other one sends its own, under the same id.
    upload_people(both.browsers("alice")[1], RIGHT, ids["import_id"])
    return both


def upload_people(browser: Browser, canary: str, import_id: str) -> None:
    people = f"First name,E-mail\n{canary},zoe@example.com\n".encode()
    upload(browser, people, f"{canary}.csv", import_id=import_id)


def fill(organisation: Organisation) -> dict[str, str]:
    """A row in as many tables as people can fill, each with the canary; the ids by the names that routes use."""
    alice, ben = organisation.browser("alice"), str(organisation.people["ben"].id)
    with tenant_transaction(organisation.tenant) as session:
        session.execute(text("UPDATE users SET name = name || :canary"), {"canary": f" {LEFT}"})
    company = organisation.add_company(f"Works {LEFT}", description=LEFT)
    contact = organisation.add_contact(first_name="Ann", last_name=LEFT, email=f"{LEFT}@example.com", description=LEFT)
    alice.post(f"/contacts/{contact}/companies", {"company_name": f"Works {LEFT}"})
    alice.post(f"/contacts/{contact}/fields/city", {"version": "1", "was": "", "city": LEFT})
    alice.post("/contacts/several", {"ids": contact, "act": "owner", "owner_id": ben})
    alice.post("/teams", {"name": f"Team {LEFT}"})
    alice.post("/roles", {"name": f"Role {LEFT}", "source": "reader"})
    alice.post("/exports/", {"scope": "contacts", "product": "portable", "export_id": str(new_id())})
    upload_people(alice, LEFT, import_id := str(new_id()))
    alice.post(f"/contacts/{contact}/person/erasure", {"typed": "no", "reference": LEFT}, check=False)
    ids = {
        "import_id": import_id,
        "contact_id": contact,
        "company_id": company,
        "user_id": str(organisation.people["ben"].id),
    }
    with tenant_transaction(organisation.tenant) as session:
        for name, table in (("team_id", "teams"), ("export_id", "exports"), ("notification_id", "notifications"),
                            ("key", "roles"), ("mail_id", "mails")):  # fmt: skip
            found = session.execute(text(f"SELECT id FROM {table} LIMIT 1")).scalar()
            assert found, f"nothing in {table}"
            ids[name] = str(found)
    return ids


def copy(owner: Connection, table: Any, left: Tenant, right: Tenant) -> None:
    """Give `right` the rows of `left`, with its own canary in the place of the other."""
    columns = [sql.Identifier(column.name) for column in table.columns if column.computed is None]
    names, there = sql.SQL(", ").join(columns), sql.Identifier(right.schema, table.name)
    told = sql.SQL("replace(to_jsonb(t)::text, {}, {})::jsonb").format(LEFT, RIGHT)
    owner.execute(sql.SQL("DELETE FROM {}").format(there))
    question = "INSERT INTO {} ({}) SELECT {} FROM (SELECT (jsonb_populate_record(NULL::{}, {})).* FROM {} t) r"
    here = sql.Identifier(left.schema, table.name)
    owner.execute(sql.SQL(question).format(there, names, names, there, told, here))


def routes(app: QikBiz, method: str) -> list[Rule]:
    return [
        rule
        for rule in app.url_map.iter_rules()
        if rule.subdomain == "tenant" and method in (rule.methods or ())
        if "for_test" not in rule.endpoint and rule.endpoint not in LEFT_OUT
    ]


def address(app: QikBiz, rule: Rule, ids: dict[str, str]) -> str:
    """The route's address with the ids that both organisations have."""
    values: dict[str, Any] = {}
    for name in rule.arguments:
        known = ids["company_id" if rule.endpoint.startswith("companies") else "contact_id"]
        is_id = type(rule._converters[name]).__name__ == "UUIDConverter"
        given = known if name == "record_id" else ids.get(name, str(new_id()) if is_id else "description")
        values[name] = UUID(given) if is_id else given
    return app.url_map.bind("localhost", subdomain="tenant").build(rule.endpoint, values)


def test_no_page_of_one_shows_a_word_of_the_other(twins: TwinOrganisations, app: QikBiz) -> None:
    """Page by page, first one and then the other, so that state kept between requests would show."""
    seen = {LEFT: 0, RIGHT: 0}
    for name in ROLES:
        pair = twins.browsers(name)
        for rule in routes(app, "GET"):
            path = address(app, rule, twins.ids)
            for browser, own, other in zip(pair, (LEFT, RIGHT), (RIGHT, LEFT), strict=True):
                answer = browser.get(path, check=False)
                assert answer.status_code < 500 and other not in answer.text, (name, path, answer.status_code)
                seen[own] += own in answer.text
    assert min(seen.values()) > 40


def test_no_act_in_one_changes_or_writes_a_word_of_the_other(
    twins: TwinOrganisations, app: QikBiz, owner_connection: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    pairs = {name: twins.browsers(name) for name in ROLES}
    before = checksum(owner_connection, twins.right)
    with caplog.at_level(logging.DEBUG, logger="qikbiz"):
        for name in ROLES:
            for rule in routes(app, "POST"):
                path = address(app, rule, twins.ids)
                answer = pairs[name][0].post(path, check=False)
                assert answer.status_code < 500 and RIGHT not in answer.text, (name, path, answer.status_code)
    assert checksum(owner_connection, twins.left.tenant) and checksum(owner_connection, twins.right) == before
    assert caplog.records and LEFT not in caplog.text
    assert [browser.get("/profile").status_code for _, browser in pairs.values()] == [200] * len(ROLES)


def test_redis_holds_no_words_of_an_organisation(twins: TwinOrganisations, app: QikBiz) -> None:
    """The session's user is stored sealed, under the organisation's own id; nothing of records, files or queues."""
    for browser in twins.browsers("alice"):
        browser.get(f"/contacts/{twins.ids['contact_id']}")
    sessions = {LEFT: 0, RIGHT: 0}
    with app.extensions["qikbiz"].redis.client() as client:
        both = tuple(f"qb:t:{tenant.id.hex}:" for tenant in (twins.left.tenant, twins.right))
        for key in client.keys("*"):
            if key.startswith("qb:t:") and not key.startswith(both):
                continue
            kept = key + (client.get(key) if client.type(key) == "string" else repr(client.dump(key)))
            for tenant, canary in ((twins.left.tenant, LEFT), (twins.right, RIGHT)):
                sessions[canary] += key.startswith(f"qb:t:{tenant.id.hex}:s:")
                assert canary not in kept, key
    assert min(sessions.values()) > 0
