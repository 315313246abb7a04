"""An address that misbehaves is recorded, scored, blocked for a time, and can be allowed again by staff."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from qikbiz.audit.models import PlatformAuditEvent
from qikbiz.kernel.actors import Actor, acting_as
from qikbiz.kernel.database import control_transaction, db
from qikbiz.kernel.errors import Blocked, Conflict, Failure
from qikbiz.kernel.networks import normalise, unit_of
from qikbiz.security.ip_reputation import actions, limiter, points, queries, retention, rules
from qikbiz.security.ip_reputation.check import admit_anonymous
from qikbiz.security.ip_reputation.events import account_mac, record_event
from qikbiz.security.ip_reputation.models import AbuseEvent, AddressRule, AddressScore
from qikbiz.security.ip_reputation.signals import Signal
from tenants.runtime import Runtime

pytestmark = pytest.mark.promise("P5")

ADDRESS = "203.0.113.77"
OLIVIA = Actor("staff", name="Olivia")


def misbehave(times: int, address: str = ADDRESS) -> None:
    for _ in range(times):
        record_event(Signal.LOGIN_FAILED, address=address, account="Alice@example.com")


def test_a_failed_login_becomes_an_event_without_the_account_s_name() -> None:
    record_event(Signal.LOGIN_UNKNOWN, address="2001:db8::77", account="Alice@example.com")
    with control_transaction() as session:
        event = session.scalars(select(AbuseEvent)).one()
    assert (event.kind, str(event.unit)) == ("login_unknown", "2001:db8::/64")
    assert event.account_mac == account_mac("alice@EXAMPLE.com")
    assert "alice" not in str(event.account_mac)


def test_many_events_ask_for_few_checks() -> None:
    misbehave(12)
    with control_transaction() as session:
        jobs = session.scalar(text("SELECT count(*) FROM platform_jobs WHERE kind = 'ip_reputation.check'"))
        assert session.scalar(text("SELECT count(*) FROM abuse_events")) == 12
    assert jobs is not None and 1 <= jobs <= 2


def test_a_block_keeps_the_reference_that_it_had_before_the_worker_looked() -> None:
    misbehave(41)
    with pytest.raises(Blocked) as shown:
        admit_anonymous(normalise(ADDRESS))
    with control_transaction() as session:
        actions.check_address(f"{ADDRESS}/32")
        assert session.scalars(select(AddressRule)).one().reference == shown.value.text
    with pytest.raises(Blocked) as again:
        admit_anonymous(normalise(ADDRESS))
    assert again.value.text == shown.value.text


def test_the_worker_blocks_with_a_reason_and_an_end_and_tells_the_audit() -> None:
    misbehave(41)
    with control_transaction():
        assert actions.check_address(f"{ADDRESS}/32").verdict == "block"
    with control_transaction() as session:
        rule = session.scalars(select(AddressRule)).one()
        assert (rule.action, rule.source) == ("block", "check")
        assert "41 x login failed" in rule.reason and rule.expires_at is not None
        audited = session.scalars(select(PlatformAuditEvent).where(PlatformAuditEvent.action == "address.blocked"))
        # By its reference: the audit is kept for longer than an address may be.
        assert rule.reference in {event.subject for event in audited}
    with pytest.raises(Blocked):
        admit_anonymous(normalise(ADDRESS))


def test_checking_again_makes_no_second_rule() -> None:
    misbehave(41)
    for _ in range(3):
        with control_transaction():
            actions.check_address(f"{ADDRESS}/32")
    with control_transaction() as session:
        assert len(session.scalars(select(AddressRule)).all()) == 1
        assert session.scalars(select(AddressScore.blocks).where(AddressScore.unit == f"{ADDRESS}/32")).one() == 1


def test_a_flood_is_stopped_at_once_before_any_worker_looks() -> None:
    misbehave(41)
    assert limiter.answer(ADDRESS).verdict == "block"
    assert limiter.answer("203.0.113.78").verdict == "allow"


def test_a_flood_does_not_fill_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(points.RECORDED_PER_WINDOW, "rows", 5)
    misbehave(20)
    with control_transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM abuse_events")) == 5


def test_three_hundred_networks_of_one_customer_are_blocked_as_one() -> None:
    now = datetime.now(UTC)
    with control_transaction() as session:
        for number in range(300):
            unit = str(unit_of(f"2001:db8:0:{number % 256:x}::1"))
            session.add(AbuseEvent(kind=Signal.LOGIN_FAILED, unit=unit, account_mac=f"{number:024x}", at=now))
    with control_transaction():
        actions.check_address("2001:db8::/64")
    with control_transaction() as session:
        blocked = {str(unit) for unit in session.scalars(select(AddressRule.unit).where(AddressRule.action == "block"))}
    assert "2001:db8::/56" in blocked
    assert limiter.answer("2001:db8:0:ff::9").verdict == "block"


def test_staff_let_an_address_in_and_the_check_does_not_overrule_them() -> None:
    with acting_as(OLIVIA), control_transaction():
        rules.decide(ADDRESS, "allow", "The office of Acme", minutes=60)
    misbehave(60)
    with control_transaction():
        actions.check_address(f"{ADDRESS}/32")
    assert limiter.answer(ADDRESS).verdict == "allow"
    with control_transaction():
        assert [rule.action for rule in queries.rules_in_force()] == ["allow"]


def test_a_lifted_block_lets_the_next_request_in() -> None:
    with control_transaction():
        rule_id = rules.decide(ADDRESS, "block", "Asked by its owner", minutes=10).id
    assert limiter.answer(ADDRESS).verdict == "block"
    with control_transaction():
        rules.revoke(rule_id, "It was a mistake")
    assert limiter.answer(ADDRESS).verdict == "allow"
    with pytest.raises(Conflict), control_transaction():
        rules.revoke(rule_id, "Again")


def test_what_led_to_a_lifted_block_does_not_block_again() -> None:
    """An address that staff allowed is not blocked again for old events when its user mistypes once."""
    misbehave(60)
    with control_transaction():
        assert actions.check_address(ADDRESS).verdict == "block"
        rule_id = db.control.scalars(select(AddressRule.id).where(AddressRule.lifted_at.is_(None))).one()
    with control_transaction():
        rules.revoke(rule_id, "A school shares this line")
    misbehave(1)
    with control_transaction():
        judged = actions.check_address(ADDRESS)
        assert judged.verdict == "none" and judged.evidence == {"login_failed": 1, "accounts_tried": 1}
        score = db.control.get_one(AddressScore, f"{ADDRESS}/32")
        assert (score.blocks, score.verdict) == (0, "none")
    assert limiter.answer(ADDRESS).verdict == "allow"
    misbehave(60)
    with control_transaction():
        assert actions.check_address(ADDRESS).verdict == "block", "what comes after it counts"


@pytest.mark.parametrize(
    ("unit", "action", "reason", "minutes", "saying"),
    [
        ("nonsense", "block", "Because", 10, "is not an address"),
        ("0.0.0.0/0", "block", "Because", 10, "too large. The largest allowed network is /16"),
        ("2001::/20", "block", "Because", 10, "too large. The largest allowed network is /32"),
        (ADDRESS, "block", "  ", 10, "Enter a reason"),
        (ADDRESS, "block", "Because", None, "needs a duration"),
        (ADDRESS, "allow", "Because", None, "needs a duration"),
        (ADDRESS, "block", "Because", 60 * 24 * 31, "at most 30 days"),
        (ADDRESS, "block", "Because", -5, "needs a duration"),
    ],
)
def test_a_decision_that_can_t_stand_is_refused_in_words(
    unit: str, action: rules.Action, reason: str, minutes: int | None, saying: str
) -> None:
    with pytest.raises(Failure, match=saying), control_transaction():
        rules.decide(unit, action, reason, minutes=minutes)
    with control_transaction():
        assert not queries.rules_in_force()


def test_rules_come_back_after_redis_was_wiped(clean: Runtime) -> None:
    with control_transaction():
        rules.decide(ADDRESS, "block", "Scraping", minutes=10)
    with clean.redis.client() as client:
        client.flushall()
    assert limiter.answer(ADDRESS).verdict == "allow"
    with control_transaction():
        assert rules.enforce_standing_rules() == 1
    assert limiter.answer(ADDRESS).verdict == "block"


def test_without_redis_nobody_is_locked_out(clean: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    with control_transaction():
        rules.decide(ADDRESS, "block", "Scraping", minutes=10)
    monkeypatch.setattr(clean.redis, "_rest_until", float("inf"))
    admit_anonymous(normalise(ADDRESS))
    record_event(Signal.LOGIN_FAILED, address=ADDRESS)
    with control_transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM abuse_events")) == 1


def test_events_are_forgotten_after_thirty_days() -> None:
    old = datetime.now(UTC) - timedelta(days=31)
    with control_transaction() as session:
        session.add(AbuseEvent(kind=Signal.PROBE, unit=f"{ADDRESS}/32", address=ADDRESS, at=old))
        session.add(AbuseEvent(kind=Signal.PROBE, unit=f"{ADDRESS}/32", address=ADDRESS, at=datetime.now(UTC)))
    with control_transaction():
        assert retention.delete_expired_addresses() == 1
        assert len(db.control.scalars(select(AbuseEvent)).all()) == 1
