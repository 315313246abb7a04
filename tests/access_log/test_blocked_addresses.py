"""Administrators see blocks that hit their people, and let an address in at their own organisation for a day."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from qikbiz.audit.models import AuditEvent
from qikbiz.kernel import clock
from qikbiz.kernel.database import control_transaction, tenant_transaction
from qikbiz.security.ip_reputation import rules
from qikbiz.security.ip_reputation.models import AddressRule
from tenants.runtime import Runtime
from tests.fixtures.web import Browser
from tests.fixtures.world import World

OFFICE, ELSEWHERE = "198.51.100.40", "198.51.100.41"
BLOCKS, ALLOW = "/access-log/blocks", "/access-log/blocks/allowances"
ClientFor = Callable[[str], Browser]


@pytest.fixture(autouse=True)
def clean(world: World, working: Runtime, owner_connection: Any) -> Iterator[None]:
    yield
    with control_transaction() as session:
        session.execute(text("DELETE FROM address_rules"))
    for tenant in (world.acme.tenant, world.globex.tenant):
        owner_connection.execute(f"DELETE FROM {tenant.schema}.access_events")
    with working.redis.client() as client:
        for key in [*client.scan_iter("*:rule:*"), *client.scan_iter(working.redis.platform_key("*"))]:
            client.delete(key)


@pytest.fixture
def office(world: World, browser_at: Callable[[str], Browser]) -> Callable[[str], Browser]:
    """A function that opens a browser in Acme's office, at one of the organisations."""

    def open_at(host: str) -> Browser:
        browser = browser_at(host)
        browser.address = OFFICE
        return browser

    return open_at


@pytest.fixture
def blocked(world: World, office: Callable[[str], Browser]) -> AddressRule:
    """Ben has signed in from the office before it was blocked."""
    assert office("acme.localhost").log_in(world.ben.email, world.ben.password).status_code == 303
    with control_transaction():
        rules.decide(ELSEWHERE, "block", "Nobody of Acme", minutes=60)
        return rules.decide(OFFICE, "block", "Guessing by somebody", minutes=60)


@pytest.mark.promise("P5")
def test_a_block_that_hits_them_is_shown_with_who_and_until_when(client_for: ClientFor, blocked: AddressRule) -> None:
    page = client_for("alice").get(BLOCKS).text
    assert OFFICE in page and "Ben" in page and blocked.reference in page
    # Not the notes of staff, nor blocks that concern no user here.
    assert ELSEWHERE not in page and "Guessing by somebody" not in page


@pytest.mark.promise("P5")
def test_a_blocked_network_round_their_address_is_shown(
    client_for: ClientFor, world: World, office: Callable[[str], Browser]
) -> None:
    office("acme.localhost").log_in(world.ben.email, world.ben.password)
    with control_transaction():
        rules.decide("198.51.0.0/16", "block", "Scraping", minutes=60)
    assert OFFICE in client_for("alice").get(BLOCKS).text


@pytest.mark.promise("P5")
def test_another_organisation_s_blocks_are_not_shown(client_for: ClientFor, blocked: AddressRule) -> None:
    assert OFFICE not in client_for("mallory").get(BLOCKS).text


@pytest.mark.promise("P5")
def test_an_administrator_lets_the_address_in_here_and_nowhere_else(
    client_for: ClientFor, blocked: AddressRule, office: Callable[[str], Browser], world: World
) -> None:
    assert office("acme.localhost").get("/login").status_code == 403
    form = {"address": OFFICE, "reason": f"Our own office, {OFFICE}"}
    assert client_for("alice").post(ALLOW, form).status_code == 303
    assert office("acme.localhost").get("/login").status_code == 200
    assert office("globex.localhost").get("/login").status_code == 403
    with control_transaction() as session:
        own = session.scalars(select(AddressRule).where(AddressRule.tenant_id == world.acme.tenant.id)).one()
        assert timedelta(hours=23) < own.expires_at - clock.now() <= timedelta(hours=24)
    with tenant_transaction(world.acme.tenant) as session:
        audited = session.scalars(select(AuditEvent).where(AuditEvent.action == "address.allowed")).all()
    assert [event.details["reference"] for event in audited][-1] == own.reference
    assert OFFICE not in str([event.details for event in audited])
    page = client_for("alice").get(BLOCKS).text
    assert "Allowed by you" in page and "No blocked addresses" in page


@pytest.mark.promise("P5")
def test_it_is_ended_by_them_and_by_nobody_else(
    client_for: ClientFor, blocked: AddressRule, office: Callable[[str], Browser], world: World
) -> None:
    client_for("alice").post(ALLOW, {"address": OFFICE, "reason": "Our own office"})
    with control_transaction() as session:
        own = session.scalars(select(AddressRule).where(AddressRule.tenant_id == world.acme.tenant.id)).one()
    for name, rule_id, status in (("mallory", own.id, 404), ("alice", blocked.id, 404), ("alice", own.id, 303)):
        assert client_for(name).post(f"{ALLOW}/{rule_id}/end").status_code == status
    assert office("acme.localhost").get("/login").status_code == 403
    assert client_for("alice").post(f"{ALLOW}/{own.id}/end").status_code == 409


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"address": OFFICE, "reason": "  "}, 400),
        ({"address": "<script>", "reason": "Because"}, 400),
        ({"address": ELSEWHERE, "reason": "Because"}, 409),
        ({"address": "0.0.0.0/0", "reason": "Because"}, 400),
        ({}, 400),
    ],
)
def test_what_makes_no_sense_is_refused(
    client_for: ClientFor, blocked: AddressRule, form: dict[str, str], status: int
) -> None:
    answer = client_for("alice").post(ALLOW, form)
    assert answer.status_code == status and "Not allowed" in answer.text
    with control_transaction() as session:
        assert session.scalars(select(AddressRule).where(AddressRule.tenant_id.is_not(None))).all() == []


@pytest.mark.promise("P5")
@pytest.mark.parametrize("name", ["ben", "bob"])
def test_nobody_else_sees_or_decides(client_for: ClientFor, blocked: AddressRule, name: str) -> None:
    assert client_for(name).get(BLOCKS).status_code == 403
    assert client_for(name).post(ALLOW, {"address": OFFICE, "reason": "Please"}).status_code == 403


@pytest.mark.promise("P5")
def test_letting_in_asks_for_the_password_again(
    world: World, log_in: Callable[..., Browser], blocked: AddressRule, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = log_in(world.alice)
    later = clock.now() + timedelta(minutes=20)
    monkeypatch.setattr(clock, "now", lambda: later)
    answer = alice.post(ALLOW, {"address": OFFICE, "reason": "Our own office"})
    assert "/confirm" in (answer.location or "") or answer.status_code in (303, 403)
    with control_transaction() as session:
        assert session.scalars(select(AddressRule).where(AddressRule.tenant_id.is_not(None))).all() == []
