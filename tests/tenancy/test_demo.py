"""The demo: believable, the same everywhere, quick, without a real number or address, and never in production."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import phonenumbers
import pytest
from sqlalchemy import text

from config.settings import Settings
from provisioning.application import working_application
from provisioning.bootstrap import prepare_servers
from provisioning.demo import DemoRefused, demo_logins, ensure_demo
from provisioning.demo.records import Inventor, Owner
from qikbiz.crm.schema.normalize import normalise_email, normalise_phone
from qikbiz.identity.passwords.hashing import matches
from qikbiz.kernel.database import control_transaction, tenant_transaction
from tenants.context import Tenant
from tests.fixtures.servers import Servers, servers_at, settings_for
from tests.fixtures.world import World

OWNERS = (Owner(UUID(int=1), "Alice"), Owner(UUID(int=2), "Ben"))
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
FICTITIOUS = ("+12025550", "+44207946", "+493023125", "+3319900", "+4684650", "+61255500", "+3532091")

DANGLING = """
    SELECT count(*) FROM contacts c LEFT JOIN companies o ON o.id = c.company_id
     WHERE c.company_id IS NOT NULL AND o.id IS NULL
"""
UNLINKED = """
    SELECT count(*) FROM contacts c WHERE company_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM contact_companies l WHERE l.contact_id = c.id AND l.company_id = c.company_id AND l.is_primary)
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Servers of their own: Acme and Globex of the other tests are not the demo's."""
    home = tmp_path_factory.mktemp("demo")
    both: Servers = servers_at(home)
    both.start()
    settings = settings_for(home)
    prepare_servers(settings)
    yield settings
    both.discard()


@pytest.fixture(scope="module")
def acme(demo: Settings) -> Iterator[Tenant]:
    with working_application(demo) as runtime:
        started = time.monotonic()
        assert ensure_demo(demo) in (["acme", "globex"], [])
        assert time.monotonic() - started < 10
        runtime.directory.ensure_fresh()
        runtime.directory.look()
        tenant = runtime.directory.tenant_by_slug("acme")
        assert tenant is not None
        yield tenant


def test_the_demo_is_made_once_and_left_alone(demo: Settings, acme: Tenant) -> None:
    with tenant_transaction(acme) as session:
        counts = session.execute(text("SELECT (SELECT count(*) FROM contacts), (SELECT count(*) FROM companies)")).one()
        assert tuple(counts) == (2500, 400)
        session.execute(text("DELETE FROM contacts WHERE id IN (SELECT id FROM contacts LIMIT 10)"))
    assert ensure_demo(demo) == []
    with tenant_transaction(acme) as session:
        assert session.scalar(text("SELECT count(*) FROM contacts")) == 2490


def test_everybody_can_log_in_with_the_printed_password(demo: Settings, acme: Tenant) -> None:
    logins = demo_logins(demo)
    assert {(login.name.split()[0], login.role) for login in logins} == {
        ("Alice", "administrator"),
        ("Ben", "member"),
        ("Bob", "reader"),
        ("Mallory", "administrator"),
        ("Olivia", "operator"),
        ("Sam", "support"),
    }
    assert all(len(login.password) >= 15 for login in logins)
    kept: dict[str, Any] = {}
    with tenant_transaction(acme) as session:
        kept |= {row.email: row for row in session.execute(text("SELECT email, state, password_hash FROM users"))}
    with control_transaction() as session:
        kept |= {row.email: row for row in session.execute(text("SELECT email, state, password_hash FROM staff"))}
    for login in logins:
        if login.url.startswith("http://globex"):
            continue
        assert kept[login.email].state == "active"
        assert matches(kept[login.email].password_hash, login.password)


def test_every_contact_could_have_been_typed_in(acme: Tenant) -> None:
    """The same normalised values that the form would have kept, and nothing dangling."""
    with tenant_transaction(acme) as session:
        rows = session.execute(text("SELECT email, phone, emails, phones, company_id, country FROM contacts")).all()
        assert session.scalar(text(DANGLING)) == 0
        assert session.scalar(text(UNLINKED)) == 0
    for row in rows:
        assert normalise_email(row.email) == row.email
        assert row.email.endswith(".example")
        assert row.emails[0]["address"] == row.email
        # Nothing at all is an empty list too: an export takes it apart.
        assert isinstance(row.phones, list)
        if row.phone:
            assert normalise_phone(row.phone) == row.phone
            assert row.phone.startswith(FICTITIOUS)
    assert len({row.email for row in rows}) == len(rows)


def test_names_come_from_many_cultures(acme: Tenant) -> None:
    with tenant_transaction(acme) as session:
        names = session.scalars(text("SELECT DISTINCT first_name FROM contacts")).all()
    assert len(names) > 150
    assert {"さくら", "Łukasz", "Adaeze", "Ayşe", "Étienne", "Hēmi"} <= set(names)


def test_it_is_the_same_everywhere() -> None:
    def invented(seed: str) -> list[dict[str, Any]]:
        inventor = Inventor(seed, OWNERS, NOON)
        companies = inventor.companies(30)
        return companies + inventor.contacts(100, companies)

    assert invented("acme") == invented("acme")
    assert invented("acme") != invented("globex")


def test_every_number_is_possible_and_kept_for_fiction() -> None:
    inventor = Inventor("phones", OWNERS, NOON)
    for company in inventor.companies(200):
        assert company["phone"].startswith(FICTITIOUS)
        assert phonenumbers.is_possible_number(phonenumbers.parse(company["phone"]))


def test_production_refuses_it(world: World) -> None:
    production = replace(world.settings, environment="production")
    with pytest.raises(DemoRefused, match="known passwords"):
        ensure_demo(production)
    assert demo_logins(production) == []


def test_a_real_organisation_called_acme_is_not_filled(world: World) -> None:
    """The Acme of these tests is a customer's, as far as the demo knows."""
    assert ensure_demo(world.settings) == []
