"""The page about addresses: scores with evidence, rules with reason and end, decisions by staff."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select, text

from qikbiz.audit.models import PlatformAuditEvent
from qikbiz.kernel.database import control_transaction
from qikbiz.security.ip_reputation.events import record_event
from qikbiz.security.ip_reputation.models import AddressRule, BlockWeek
from qikbiz.security.ip_reputation.signals import Signal
from tenants.runtime import Runtime
from tests.fixtures.web import Browser

ClientFor = Callable[[str], Browser]
ADDRESS = "198.51.100.23"


@pytest.fixture(autouse=True)
def clean(working: Runtime) -> Iterator[None]:
    yield
    with control_transaction() as session:
        for table in ("abuse_events", "address_rules", "address_scores", "block_weeks"):
            session.execute(text(f"DELETE FROM {table}"))
    with working.redis.client() as client:
        for key in client.scan_iter(working.redis.platform_key("*")):
            client.delete(key)


@pytest.mark.promise("P5")
def test_an_operator_blocks_an_address_and_lifts_the_block(client_for: ClientFor) -> None:
    olivia = client_for("olivia")
    form = {"unit": ADDRESS, "action": "block", "minutes": "60", "reason": "Scraping the sign-in page"}
    assert olivia.post("/addresses/rules", form).status_code in (302, 303)
    page = olivia.get("/addresses")
    assert f"{ADDRESS}/32" in page.text and "Scraping the sign-in page" in page.text
    with control_transaction() as session:
        rule = session.scalars(select(AddressRule)).one()
    assert olivia.post(f"/addresses/rules/{rule.id}/lift", {"reason": "Sorted out"}).status_code in (302, 303)
    assert "No active rules" in olivia.get("/addresses").text


@pytest.mark.promise("P5")
def test_a_blocked_stranger_reads_why_while_a_colleague_goes_on_working(
    client_for: ClientFor, browser_at: Callable[[str], Browser]
) -> None:
    alice, stranger = client_for("alice"), browser_at("acme.localhost")
    alice.address = stranger.address = ADDRESS
    form = {"unit": ADDRESS, "action": "block", "minutes": "10", "reason": "Guessing passwords"}
    client_for("olivia").post("/addresses/rules", form)
    assert stranger.get("/login").status_code == 403
    assert alice.get("/").status_code == 200


@pytest.mark.promise("P5")
def test_support_sees_addresses_and_decides_nothing(client_for: ClientFor) -> None:
    sam = client_for("sam")
    page = sam.get("/addresses")
    assert page.status_code == 200 and "Add IP rule" not in page.text
    form = {"unit": ADDRESS, "action": "block", "minutes": "10", "reason": "Because"}
    assert sam.post("/addresses/rules", form).status_code == 403


@pytest.mark.parametrize("form", [{"unit": "x", "action": "block"}, {"unit": ADDRESS, "action": "explode"}, {}])
def test_a_bad_decision_is_refused(client_for: ClientFor, form: dict[str, str]) -> None:
    assert client_for("olivia").post("/addresses/rules", {"reason": "Because", **form}).status_code == 400


@pytest.mark.promise("P5")
def test_the_events_of_an_address_are_shown_without_account_names(client_for: ClientFor, working: Runtime) -> None:
    record_event(Signal.LOGIN_FAILED, address=ADDRESS, account="alice@acme.example.com")
    page = client_for("olivia").get("/addresses/events", query_string={"unit": f"{ADDRESS}/32"})
    assert "Login failed" in page.text
    assert "alice@acme" not in page.text


@pytest.mark.promise("P5")
def test_a_block_is_lifted_only_with_a_reason(client_for: ClientFor) -> None:
    olivia = client_for("olivia")
    olivia.post("/addresses/rules", {"unit": ADDRESS, "action": "block", "minutes": "60", "reason": "Scraping"})
    with control_transaction() as session:
        rule = session.scalars(select(AddressRule)).one()
    assert olivia.post(f"/addresses/rules/{rule.id}/lift", {"reason": " "}).status_code == 400
    with control_transaction() as session:
        assert session.scalars(select(AddressRule.lifted_at)).one() is None


@pytest.mark.promise("P5")
@pytest.mark.parametrize("unit", ["0.0.0.0/0", "198.0.0.0/15", "::/0", "2001::/31"])
def test_nobody_shuts_out_a_whole_provider(client_for: ClientFor, unit: str) -> None:
    form = {"unit": unit, "action": "block", "minutes": "10", "reason": "Because"}
    assert client_for("olivia").post("/addresses/rules", form).status_code == 400


def test_mistaken_blocks_are_shown_by_week_with_a_table(client_for: ClientFor) -> None:
    with control_transaction() as session:
        session.add(BlockWeek(monday=date(2026, 11, 2), blocks=250, mistaken=2, measured_at=datetime.now(UTC)))
    page = client_for("olivia").get("/addresses").text
    assert "False positives by week, in percent" in page and "0.8%" in page


@pytest.mark.promise("P5")
def test_looking_at_the_events_of_an_address_is_recorded(client_for: ClientFor) -> None:
    client_for("olivia").get("/addresses/events", query_string={"unit": ADDRESS})
    with control_transaction() as session:
        read = session.scalars(select(PlatformAuditEvent).where(PlatformAuditEvent.action == "address.read")).all()
    assert read and all(ADDRESS not in f"{event.subject}{event.details}" for event in read)


@pytest.mark.promise("P5")
@pytest.mark.parametrize("minutes", ["", "0", "-5", "43201", "9" * 30, "soon"])
def test_a_rule_without_an_end_within_reach_is_refused(client_for: ClientFor, minutes: str) -> None:
    form = {"unit": ADDRESS, "action": "block", "minutes": minutes, "reason": "Because"}
    page = client_for("olivia").post("/addresses/rules", form)
    assert page.status_code == 400 and "at most 30 days" in page.text
