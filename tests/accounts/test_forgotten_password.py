"""A forgotten password: the same work for every name, links that others can't end or use up."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from sqlalchemy import text, update

from qikbiz.identity.accounts.models import User
from qikbiz.kernel.database import control_transaction, tenant_transaction
from tests.accounts.conftest import counted_statements

NEW = "an entirely different phrase 7"


@pytest.fixture
def quinn(fresh_tenant, add_person):
    return add_person(fresh_tenant(), "Quinn", "administrator")


@pytest.mark.promise("P10")
def test_the_same_statements_are_issued_for_every_name(app, world, browser_at, add_person, do_jobs):
    """Known, unknown, invited, disabled, and known with the hour's emails sent: one list of statements for all."""
    people = {name: add_person(world.acme.tenant, name, "member").email for name in ("Erin", "Finn", "Gail", "Hugo")}
    with app.app_context(), tenant_transaction(world.acme.tenant) as session:
        for name, state in (("Finn", "invited"), ("Gail", "disabled")):
            session.execute(update(User).where(User.email == people[name]).values(state=state))
    for _ in range(4):
        browser_at(world.acme.tenant.host).post("/forgot", {"email": people["Hugo"]})
    do_jobs("passwords.link", world.acme.tenant)
    seen = {}
    for address in (*people.values(), "nobody@example.com"):
        browser = browser_at(world.acme.tenant.host)
        browser.csrf_token()
        with counted_statements(app, world) as statements:
            assert browser.post("/forgot", {"email": address}).status_code == 200
        seen[address] = statements
    kinds = {tuple(statements): address for address, statements in seen.items()}
    assert len(kinds) == 1, [set(one) ^ set(other) or (len(one), len(other)) for one, other in pairwise(kinds)]
    assert any("INSERT INTO jobs" in statement for statement in statements)
    assert not any("users" in statement.lower() for statement in statements), "nobody is looked up"


@pytest.mark.promise("P10")
def test_a_wrong_password_issues_the_same_statements_for_every_name(app, world, browser_at, add_person):
    """And as many of them; only their values say whose account it is."""
    known = add_person(world.acme.tenant, "Ivan", "member").email
    seen = []
    for address in (known, "nobody@example.com"):
        browser = browser_at(world.acme.tenant.host)
        browser.csrf_token()
        with counted_statements(app, world) as statements:
            assert browser.log_in(address, "certainly not the password").status_code == 401
        seen.append(statements)
    assert seen[0] == seen[1]


def test_the_worker_mails_those_who_have_a_login_and_nobody_else(quinn, browser_at, do_jobs, links_of, rows_of):
    browser = browser_at(quinn.tenant.host)
    for address in (quinn.email.upper(), "nobody@example.com", "no address at all"):
        assert browser.post("/forgot", {"email": address}).status_code == 200
    assert links_of(quinn) == []
    assert do_jobs("passwords.link", quinn.tenant) == ["done"] * 3
    assert len(links_of(quinn)) == 1
    assert browser.post(links_of(quinn)[0], {"password": NEW}).status_code == 303
    # What was typed is not kept in the ledger, sealed or not.
    kept = rows_of(quinn.tenant, "select arguments from jobs where kind = 'passwords.link'")
    assert [row["arguments"] for row in kept] == [{}] * 3


def test_what_waits_in_the_ledger_names_nobody(quinn, browser_at, rows_of):
    browser_at(quinn.tenant.host).post("/forgot", {"email": quinn.email})
    (row,) = rows_of(quinn.tenant, "select arguments from jobs where kind = 'passwords.link'")
    assert set(row["arguments"]) == {"sealed"} and "quinn" not in json.dumps(row["arguments"]).lower()


def test_six_requests_of_others_neither_use_up_the_owner_s_mails_nor_end_the_links(
    quinn, browser_at, do_jobs, links_of
):
    owner = browser_at(quinn.tenant.host)
    owner.post("/forgot", {"email": quinn.email})
    attacker = browser_at(quinn.tenant.host)
    for _ in range(6):
        assert attacker.post("/forgot", {"email": quinn.email}).status_code == 200
    owner.post("/forgot", {"email": quinn.email})
    do_jobs("passwords.link", quinn.tenant)
    # Three of the attacker's, and both of the owner's.
    assert len(links_of(quinn)) == 5
    for path in links_of(quinn):
        assert browser_at(quinn.tenant.host).get(path).status_code == 200
    assert owner.post(links_of(quinn)[0], {"password": NEW}).status_code == 303
    # One was used: the others end with it.
    for path in links_of(quinn):
        assert browser_at(quinn.tenant.host).get(path).status_code == 410


def test_a_link_of_another_organisation_opens_nothing_here(quinn, browser_at, do_jobs, links_of, world):
    browser_at(quinn.tenant.host).post("/forgot", {"email": quinn.email})
    do_jobs("passwords.link", quinn.tenant)
    assert browser_at(world.globex.tenant.host).get(links_of(quinn)[0]).status_code == 410


def test_staff_are_asked_about_by_a_job_of_the_platform(world, browser_at, do_jobs, app):
    console = browser_at(f"console.{app.extensions['qikbiz'].settings.base_domain}")
    for address in (world.sam.email, "nobody@example.com"):
        assert console.post("/forgot", {"email": address}).status_code == 200
    assert do_jobs("passwords.link_staff") == ["done", "done"]
    with app.app_context(), control_transaction() as session:
        found = session.scalars(text("select to_address from platform_mails where template = 'password_reset'")).all()
    assert found.count(world.sam.email) >= 1 and "nobody@example.com" not in found
