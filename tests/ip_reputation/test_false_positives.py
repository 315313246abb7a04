"""How often a block hit an honest user is measured by week, so that limits can be tuned on facts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from qikbiz.kernel.database import control_transaction
from qikbiz.security.ip_reputation.false_positives import measure_blocks, weeks
from qikbiz.security.ip_reputation.models import AbuseEvent, AddressRule
from qikbiz.security.ip_reputation.signals import Signal
from tenants.runtime import Runtime

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)
LAST_WEEK = datetime(2026, 11, 11, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clean(working: Runtime) -> Iterator[None]:
    forget_all()
    yield
    forget_all()


def forget_all() -> None:
    with control_transaction() as session:
        for table in ("abuse_events", "address_rules", "block_weeks"):
            session.execute(text(f"DELETE FROM {table}"))


def block(unit: str, at: datetime, *, source: str = "check", action: str = "block") -> None:
    with control_transaction() as session:
        end = at + timedelta(minutes=10)
        session.add(
            AddressRule(unit=unit, action=action, reason="Guessing", source=source, created_at=at, expires_at=end)
        )


def good_login(unit: str, at: datetime) -> None:
    with control_transaction() as session:
        session.add(AbuseEvent(kind=Signal.LOGIN_SUCCEEDED, unit=unit, at=at))


def measured() -> tuple[int, int]:
    with control_transaction():
        newest = measure_blocks(now=NOW)[0]
        assert weeks()[-1] == newest
        return newest.blocks, newest.mistaken


def test_a_block_followed_by_a_good_login_within_a_day_was_a_mistake() -> None:
    for number, later in ((1, timedelta(hours=23)), (2, timedelta(hours=25)), (3, -timedelta(minutes=1))):
        block(f"198.51.100.{number}/32", LAST_WEEK)
        good_login(f"198.51.100.{number}/32", LAST_WEEK + later)
    block("198.51.100.4/32", LAST_WEEK)
    assert measured() == (4, 1)


def test_a_blocked_network_counts_the_logins_inside_it() -> None:
    block("2001:db8:1::/56", LAST_WEEK)
    good_login("2001:db8:1:2::/64", LAST_WEEK + timedelta(hours=1))
    assert measured() == (1, 1)


def test_only_automatic_blocks_of_that_week_are_counted() -> None:
    block("198.51.100.1/32", LAST_WEEK, source="staff")
    block("198.51.100.2/32", LAST_WEEK, action="slow")
    block("198.51.100.3/32", LAST_WEEK - timedelta(days=7))
    assert measured() == (0, 0)


def test_measuring_again_changes_nothing() -> None:
    block("198.51.100.1/32", LAST_WEEK)
    assert measured() == measured() == (1, 0)
