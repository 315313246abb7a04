"""The page about addresses: scores with evidence, rules with reason and end, decisions by staff."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select, text

from qikbiz.abuse.events import note
from qikbiz.abuse.models import AddressRule
from qikbiz.abuse.signals import Signal
from qikbiz.database import control_work
from tenants.runtime import Runtime
from tests.fixtures.web import Browser

ClientFor = Callable[[str], Browser]
ADDRESS = "198.51.100.23"


@pytest.fixture(autouse=True)
def clean(working: Runtime) -> Iterator[None]:
    yield
    with control_work() as session:
        for table in ("abuse_events", "address_rules", "address_scores"):
            session.execute(text(f"DELETE FROM {table}"))
    with working.redis.client() as client:
        for key in client.scan_iter(working.redis.platform_key("*")):
            client.delete(key)


def test_an_operator_blocks_an_address_and_lifts_the_block(client_for: ClientFor) -> None:
    olivia = client_for("olivia")
    form = {"unit": ADDRESS, "action": "block", "minutes": "60", "reason": "Scraping the sign-in page"}
    assert olivia.post("/addresses/rules", form).status_code in (302, 303)
    page = olivia.get("/addresses")
    assert f"{ADDRESS}/32" in page.text and "Scraping the sign-in page" in page.text
    with control_work() as session:
        rule = session.scalars(select(AddressRule)).one()
    assert olivia.post(f"/addresses/rules/{rule.id}/lift", {"reason": "Sorted out"}).status_code in (302, 303)
    assert "No address is blocked" in olivia.get("/addresses").text


def test_a_blocked_stranger_reads_why_while_a_colleague_goes_on_working(
    client_for: ClientFor, browser_at: Callable[[str], Browser]
) -> None:
    alice, stranger = client_for("alice"), browser_at("acme.localhost")
    alice.address = stranger.address = ADDRESS
    form = {"unit": ADDRESS, "action": "block", "minutes": "10", "reason": "Guessing passwords"}
    client_for("olivia").post("/addresses/rules", form)
    assert stranger.get("/login").status_code == 403
    assert alice.get("/").status_code == 200


def test_support_sees_addresses_and_decides_nothing(client_for: ClientFor) -> None:
    sam = client_for("sam")
    page = sam.get("/addresses")
    assert page.status_code == 200 and "Decide about an address" not in page.text
    form = {"unit": ADDRESS, "action": "block", "minutes": "10", "reason": "Because"}
    assert sam.post("/addresses/rules", form).status_code == 403


@pytest.mark.parametrize("form", [{"unit": "x", "action": "block"}, {"unit": ADDRESS, "action": "explode"}, {}])
def test_a_bad_decision_is_refused(client_for: ClientFor, form: dict[str, str]) -> None:
    assert client_for("olivia").post("/addresses/rules", {"reason": "Because", **form}).status_code == 400


def test_the_events_of_an_address_are_shown_without_account_names(client_for: ClientFor, working: Runtime) -> None:
    note(Signal.LOGIN_FAILED, address=ADDRESS, account="alice@acme.example.com")
    page = client_for("olivia").get("/addresses/events", query_string={"unit": f"{ADDRESS}/32"})
    assert "Login failed" in page.text
    assert "alice@acme" not in page.text
