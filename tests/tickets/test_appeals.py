"""A blocked user reads why, until when and under which reference, and can write to support all the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from qikbiz.kernel.database import control_transaction
from qikbiz.security.ip_reputation import limiter, points, rules
from qikbiz.security.ip_reputation.models import AddressRule
from tests.fixtures.web import Browser
from tests.fixtures.world import World
from tests.tickets.conftest import hidden_fields, mails, messages, tickets

pytestmark = pytest.mark.usefixtures("patient")
ADDRESS = "198.51.100.31"
TYPED = {"email": "ann@example.com", "body": "We share this line with a school."}
BrowserAt = Callable[[str], Browser]


@pytest.fixture
def block(working: object) -> AddressRule:
    with control_transaction():
        return rules.decide(ADDRESS, "block", "Guessing", minutes=90)


@pytest.fixture
def blocked(browser_at: BrowserAt, block: AddressRule) -> Browser:
    browser = browser_at("acme.localhost")
    browser.address = ADDRESS
    return browser


def appeal(browser: Browser, **changed: str) -> TestResponse:
    return browser.post("/appeal", {**hidden_fields(browser.get("/login")), **TYPED, **changed})


@pytest.mark.promise("P5")
def test_the_page_of_a_block_says_reference_and_end_and_has_a_form(blocked: Browser, block: AddressRule) -> None:
    page = blocked.get("/login")
    assert page.status_code == 403 and int(page.headers["Retry-After"]) > 60 * 80
    assert block.reference in page.text and "Expires" in page.text
    assert 'action="/appeal"' in page.text and ADDRESS not in page.text


@pytest.mark.promise("P5")
def test_an_appeal_reaches_support_with_the_block_it_is_about(
    blocked: Browser, block: AddressRule, world: World
) -> None:
    response = appeal(blocked)
    assert response.status_code == 201
    (ticket,) = tickets()
    assert (ticket.topic, ticket.source, ticket.rule_id) == ("appeal", "blocked", block.id)
    assert ticket.tenant_id == world.acme.tenant.id and block.reference in ticket.subject
    assert messages(ticket)[0].body == TYPED["body"]
    assert [mail.template for mail in mails()] == ["ticket_received"]
    # The question is answered; the block stays.
    assert blocked.get("/login").status_code == 403


@pytest.mark.promise("P5")
def test_support_lifts_the_block_from_the_ticket(
    blocked: Browser, block: AddressRule, client_for: Callable[[str], Browser]
) -> None:
    appeal(blocked)
    page = client_for("olivia").get(f"/tickets/{tickets()[0].reference}")
    assert "Guessing" in page.text and "View events and rules" in page.text
    with control_transaction():
        rules.revoke(block.id, "A school")
    assert blocked.get("/login").status_code == 200


@pytest.mark.promise("P5")
def test_what_is_missing_is_said_on_the_same_page(blocked: Browser, block: AddressRule) -> None:
    response = appeal(blocked, email="nothing", body="  ")
    assert response.status_code == 422 and "a valid email address" in response.text and block.reference in response.text
    assert tickets() == []


@pytest.mark.promise("P5")
def test_the_form_has_limits_of_its_own(blocked: Browser) -> None:
    answers = [appeal(blocked, email=f"a{n}@example.com").status_code for n in range(6)]
    assert answers == [201] * 5 + [429]


@pytest.mark.promise("P5")
def test_every_other_page_stays_closed(blocked: Browser) -> None:
    for path in ("/", "/contact", "/forgot", "/help"):
        assert blocked.get(path).status_code == 403


@pytest.mark.promise("P5")
def test_a_machine_gets_no_ticket(blocked: Browser) -> None:
    assert appeal(blocked, website="https://spam.example").status_code == 201
    assert tickets() == []


def test_a_form_token_is_needed_as_everywhere(blocked: Browser) -> None:
    assert blocked.post("/appeal", TYPED, csrf=False).status_code == 403
    assert tickets() == []


@pytest.mark.promise("P5")
def test_a_block_made_at_once_by_the_limiter_has_a_reference_too(browser_at: BrowserAt, working: object) -> None:
    for _ in range(40):
        points.count("198.51.100.32", 2)
    browser = browser_at("acme.localhost")
    browser.address = "198.51.100.32"
    page = browser.get("/login")
    found = limiter.answer("198.51.100.32")
    assert len(found.reference) == 8 and found.reference in page.text
    assert appeal(browser).status_code == 201
    assert tickets()[0].rule_id is None


@pytest.mark.promise("P5")
def test_without_a_block_there_is_nothing_to_appeal_against(browser_at: BrowserAt) -> None:
    assert browser_at("acme.localhost").get("/appeal").status_code == 303


def test_staff_who_are_blocked_get_the_same_page(browser_at: BrowserAt, block: AddressRule) -> None:
    browser = browser_at("console.localhost")
    browser.address = ADDRESS
    page = browser.get("/login")
    assert page.status_code == 403 and block.reference in page.text
    assert appeal(browser).status_code == 201


def test_programs_are_told_in_their_own_words(blocked: Browser) -> None:
    response = blocked.get("/login", headers={"Accept": "application/json"})
    assert response.status_code == 403 and response.mimetype == "application/problem+json"
