"""What attackers do to be counted as many, or to have others counted for them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from qikbiz.audit.models import PlatformAuditEvent
from qikbiz.kernel.database import control_transaction
from qikbiz.kernel.networks import unit_of
from qikbiz.security.ip_reputation import actions, limiter, points, rules, spray_detection
from qikbiz.security.ip_reputation.events import account_mac, record_event
from qikbiz.security.ip_reputation.models import AbuseEvent, AddressRule
from qikbiz.security.ip_reputation.signals import Signal
from tenants.runtime import Runtime
from tests.fixtures.web import Browser
from tests.fixtures.world import World

pytestmark = pytest.mark.promise("P5")


def test_ten_thousand_addresses_of_one_network_are_blocked_as_one(working: Runtime) -> None:
    for number in range(1, 10_001):
        points.count(f"2001:db8:7:7::{number:x}", 2)
        if limiter.answer("2001:db8:7:7::ffff:1").verdict == "block":
            break
    assert number == 40
    assert limiter.answer("2001:db8:7:8::1").verdict == "allow"


def test_no_header_of_a_stranger_changes_who_is_counted(
    world: World, browser_at: Callable[[str], Browser], working: Runtime
) -> None:
    for number, header in enumerate(("X-Forwarded-For", "Forwarded", "X-Real-IP", "True-Client-IP", "Via")):
        browser = browser_at("acme.localhost")
        browser.address = "198.51.100.44"
        browser.headers[header] = f"192.0.2.{number}"
        browser.log_in("nobody@example.com", "wrong wrong wrong")
    with control_transaction() as session:
        units = set(session.scalars(select(AbuseEvent.unit).where(AbuseEvent.kind == Signal.LOGIN_UNKNOWN)))
    assert {str(unit) for unit in units} == {"198.51.100.44/32"}


def test_two_hundred_honest_people_behind_the_attacker_s_address_go_on_working(
    world: World, client_for: Callable[[str], Browser], working: Runtime
) -> None:
    office = "198.51.100.60"
    for _ in range(50):
        record_event(Signal.LOGIN_UNKNOWN, address=office, account="guess@example.com")
    assert limiter.answer(office).verdict == "block"
    alice, ben = client_for("alice"), client_for("ben")
    alice.address = ben.address = office
    refused = sum(person.get("/").status_code != 200 for _ in range(100) for person in (alice, ben))
    assert refused == 0


def test_guessing_slowly_from_five_thousand_places_raises_the_alarm(working: Runtime) -> None:
    now = datetime.now(UTC)
    with control_transaction() as session:
        for number in range(5_000):
            unit = str(unit_of(f"100.{64 + number // 65536}.{number // 256 % 256}.{number % 256}"))
            mac, at = f"{number % 900:024x}", now - timedelta(seconds=number % 3500)
            session.add(AbuseEvent(kind=Signal.LOGIN_FAILED, unit=unit, account_mac=mac, at=at))
    assert limiter.answer("192.0.2.200").verdict == "allow"
    with control_transaction():
        assert not rules.standing_about(unit_of("100.64.0.1"))
        assert spray_detection.raise_alarm_if_sprayed(now)
    # Every request without a session waits a moment; none is refused.
    assert limiter.answer("192.0.2.200").verdict == "slow"
    with control_transaction() as session:
        raised = session.scalars(select(PlatformAuditEvent).where(PlatformAuditEvent.action == "login.alarm_raised"))
        assert raised.first() is not None


def test_a_busy_morning_raises_no_alarm(working: Runtime) -> None:
    now = datetime.now(UTC)
    with control_transaction() as session:
        for number in range(2_000):
            unit = str(unit_of(f"100.64.{number // 256}.{number % 256}"))
            kind = Signal.LOGIN_FAILED if number % 5 == 0 else Signal.LOGIN_SUCCEEDED
            session.add(AbuseEvent(kind=kind, unit=unit, account_mac=account_mac(str(number)), at=now))
    with control_transaction():
        assert not spray_detection.raise_alarm_if_sprayed(now)


@pytest.mark.parametrize(
    ("unit", "inside", "outside"),
    [
        ("198.51.0.0/16", "198.51.200.1", "198.52.0.1"),
        ("198.51.100.0/22", "198.51.103.255", "198.51.104.0"),
        ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
        ("2001:db8:1:2::5", "2001:db8:1:2::99", "2001:db8:1:3::5"),
    ],
)
def test_a_rule_of_any_width_that_staff_may_decide_about_holds(
    working: Runtime, unit: str, inside: str, outside: str
) -> None:
    with control_transaction():
        rules.decide(unit, "block", "Scraping", minutes=10)
    assert limiter.answer(inside).verdict == "block"
    assert limiter.answer(outside).verdict == "allow"


def test_the_longest_prefix_wins_and_on_a_tie_an_allow(working: Runtime, world: World) -> None:
    with control_transaction():
        rules.decide("198.51.100.0/24", "block", "Scraping", minutes=10)
        rules.decide("198.51.100.7", "allow", "The office", minutes=10)
        rules.decide("198.51.100.9", "block", "Guessing", minutes=10)
        rules.allow_at_tenant(unit_of("198.51.100.9"), world.acme.tenant.id, "Our own office")
    assert limiter.answer("198.51.100.7").verdict == "allow"
    assert limiter.answer("198.51.100.8").verdict == "block"
    assert limiter.answer("198.51.100.9", world.acme.tenant.id).verdict == "allow"


def test_what_one_organisation_allows_is_not_allowed_at_another(working: Runtime, world: World) -> None:
    with control_transaction():
        rules.decide("198.51.100.9", "block", "Guessing", minutes=10)
        rules.allow_at_tenant(unit_of("198.51.100.9"), world.acme.tenant.id, "Our own office")
    assert limiter.answer("198.51.100.9", world.globex.tenant.id).verdict == "block"
    assert limiter.answer("198.51.100.9").verdict == "block"


def test_a_tenant_s_allow_does_not_keep_the_check_from_blocking_elsewhere(working: Runtime, world: World) -> None:
    with control_transaction():
        rules.allow_at_tenant(unit_of("198.51.100.9"), world.acme.tenant.id, "Our own office")
    for _ in range(60):
        record_event(Signal.LOGIN_FAILED, address="198.51.100.9", account="a@example.com")
    with control_transaction():
        actions.check_address("198.51.100.9/32")
    assert limiter.answer("198.51.100.9", world.globex.tenant.id).verdict == "block"
    assert limiter.answer("198.51.100.9", world.acme.tenant.id).verdict == "allow"


def test_a_tenant_s_rule_can_only_allow(working: Runtime, world: World) -> None:
    with pytest.raises(Exception, match="tenants_only_allow"), control_transaction() as session:
        now = datetime.now(UTC)
        session.add(
            AddressRule(unit="198.51.100.9/32", action="block", reason="Because", source="tenant", created_at=now,
                        expires_at=now + timedelta(hours=1), tenant_id=world.acme.tenant.id)
        )  # fmt: skip


def test_rules_of_tenants_come_back_after_redis_was_wiped(working: Runtime, world: World) -> None:
    with control_transaction():
        rules.decide("198.51.100.9", "block", "Guessing", minutes=10)
        rules.allow_at_tenant(unit_of("198.51.100.9"), world.acme.tenant.id, "Our own office")
    with working.redis.client() as client:
        client.flushall()
    with control_transaction():
        assert rules.enforce_standing_rules() == 2
    assert limiter.answer("198.51.100.9", world.acme.tenant.id).verdict == "allow"
    assert limiter.answer("198.51.100.9").verdict == "block"


def test_a_clock_that_goes_back_makes_no_block_longer_than_its_end(working: Runtime) -> None:
    with control_transaction():
        rule = rules.decide("198.51.100.9", "block", "Guessing", minutes=10)
    found = limiter.answer("198.51.100.9")
    assert found.until is not None and abs(found.until - rule.expires_at) < timedelta(seconds=1)
