"""Evidence becomes points, points a verdict; mistyping and then getting in is no offence."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qikbiz.security.ip_reputation.scoring import Observed, evaluate
from qikbiz.security.ip_reputation.signals import BLOCK_AT, SLOW_AT, WATCH_AT, Signal

pytestmark = pytest.mark.promise("P5")

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def failures(number: int, *, account: str = "alice", minutes_ago: float = 0) -> list[Observed]:
    return [Observed(Signal.LOGIN_FAILED, NOW - timedelta(minutes=minutes_ago), account) for _ in range(number)]


@pytest.mark.parametrize(
    ("number", "verdict"),
    [
        (0, "none"),
        (WATCH_AT // 2 - 1, "none"),
        (WATCH_AT // 2, "watch"),
        (SLOW_AT // 2, "slow"),
        (BLOCK_AT // 2, "block"),
    ],
)
def test_more_failures_lead_from_watching_to_blocking(number: int, verdict: str) -> None:
    assert evaluate(failures(number), NOW).verdict == verdict


def test_a_success_forgives_the_failures_of_that_account_only() -> None:
    events = [*failures(30, minutes_ago=1), *failures(8, account="bob", minutes_ago=1)]
    forgiven = [*events, Observed(Signal.LOGIN_SUCCEEDED, NOW, "alice")]
    assert evaluate(events, NOW).score == 75
    assert evaluate(forgiven, NOW).score == 16


def test_points_halve_every_hour() -> None:
    assert evaluate(failures(40, minutes_ago=60), NOW).score == 40
    assert evaluate(failures(40, minutes_ago=120), NOW).score == 20


def test_trying_many_accounts_weighs_more_than_trying_one() -> None:
    one = [Observed(Signal.LOGIN_UNKNOWN, NOW, "alice") for _ in range(6)]
    many = [Observed(Signal.LOGIN_UNKNOWN, NOW, f"account {number}") for number in range(6)]
    assert evaluate(many, NOW).score == evaluate(one, NOW).score + 10
    assert evaluate(many, NOW).evidence["accounts_tried"] == 6


def test_each_further_block_lasts_longer_up_to_a_day() -> None:
    lasts = [evaluate(failures(50), NOW, earlier_blocks=number).lasts for number in range(6)]
    minutes = [length.total_seconds() / 60 for length in lasts if length]
    assert minutes == [10, 60, 360, 1440, 1440, 1440]


def test_the_reason_names_the_counts() -> None:
    assert evaluate(failures(3), NOW).reason == "6 points: 1 x accounts tried, 3 x login failed"


@given(st.lists(st.sampled_from(list(Signal)), max_size=60), st.integers(1, 8))
def test_a_wider_network_is_never_judged_harder_than_one_address(kinds: list[Signal], factor: int) -> None:
    events = [Observed(kind, NOW - timedelta(seconds=index), f"a{index % 7}") for index, kind in enumerate(kinds)]
    order = ["none", "watch", "slow", "block"]
    assert order.index(evaluate(events, NOW, factor=factor).verdict) <= order.index(evaluate(events, NOW).verdict)
