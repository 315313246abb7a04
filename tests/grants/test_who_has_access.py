"""The page that says who can reach the organisation's data at this moment, and until when."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from click.testing import CliRunner

from provisioning.cli import qikbiz
from qikbiz.identity.roles.builtin_roles import built_in
from qikbiz.kernel.rights import Rights
from qikbiz.trust.grants.overview import reach_words
from tests.fixtures.grants import Customer
from tests.fixtures.web import Browser
from tests.fixtures.world import World

pytestmark = pytest.mark.promise("P8")
PAGE = "/access/now"


def _section(page: str, title: str) -> str:
    """The text of one section of the page."""
    found = re.search(rf">{title}</h2>(.*?)</section>", page.replace("&#39;", "'"), re.DOTALL)
    assert found is not None, title
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[1]))


def test_it_names_users_with_roles_and_reach(customer: Customer) -> None:
    assert PAGE in customer.ann.get("/").text
    page = customer.ann.get(PAGE).text
    users = _section(page, "Your users")
    assert "Ann" in users and "Administrator" in users and "Rita" in users and "Reader" in users
    assert "Sees, changes and exports all contacts and companies" in users
    assert "Invitation expires" in users, "the first administrator's invitation is still open"
    assert "No QikBiz staff have access." in _section(page, "QikBiz staff") and "None." in _section(
        page, "Instructions"
    )


def test_a_grant_and_who_is_inside_stand_there_until_it_ends(customer: Customer) -> None:
    grant = customer.give("see", reason="Where is Ada?")
    assert grant.reference in _section(customer.ann.get(PAGE).text, "QikBiz staff")
    customer.enter(grant)
    shown = _section(customer.ann.get(PAGE).text, "QikBiz staff")
    assert "Sam in a session now" in shown and "Where is Ada?" in shown and "QikBiz support" in shown
    assert customer.ann.post(f"/access/{grant.id}/end").status_code == 303
    assert "No QikBiz staff have access." in _section(customer.ann.get(PAGE).text, "QikBiz staff")


def test_an_instruction_stands_there_once_it_is_confirmed(customer: Customer) -> None:
    waiting, confirmed = customer.record("import"), customer.instruct("export")
    shown = _section(customer.ann.get(PAGE).text, "Instructions")
    assert confirmed.reference in shown and "Ann" in shown
    assert f"1 instruction awaits your confirmation, without access until then: {waiting.reference}" in shown


def test_what_operators_did_by_command_stands_there(
    customer: Customer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("config.settings.load_settings", lambda: world.settings)
    before = _section(customer.ann.get(PAGE).text, "Operator commands").lower()
    assert "tenant: created" in before and "user proposed" not in before
    words = ("user", "create", "--tenant", customer.tenant.slug, "--email", "theo@example.com", "--name", "Theo")
    assert CliRunner().invoke(qikbiz, [*words, "--role", "member"]).exit_code == 0
    page = customer.ann.get(PAGE).text
    assert "user proposed" in _section(page, "Operator commands").lower()
    assert "Theo" in _section(page, "Your users") and "No open invitation" in _section(page, "Your users")


def test_only_who_lets_staff_in_sees_it_and_only_of_their_own(
    customer: Customer, client_for: Callable[[str], Browser]
) -> None:
    grant = customer.give("see", reason="Where is Ada?")
    assert customer.rita.get(PAGE).status_code == 403
    assert PAGE not in customer.rita.get("/").text
    assert customer.enter(grant).get(PAGE).status_code == 403
    elsewhere = client_for("mallory").get(PAGE).text
    assert grant.reference not in elsewhere and "Rita" not in elsewhere


def test_a_reach_is_said_in_words() -> None:
    assert reach_words(built_in()["reader"]) == "Sees all contacts and companies"
    assert reach_words(Rights.of(see="team", change="own")) == (
        "Sees their teams' contacts and companies, changes their own contacts and companies"
    )
    assert reach_words(Rights.of(types=["contact"], see="own")) == "Sees their own contacts"
    assert reach_words(Rights.of()) == "No access to records"
