"""What another site's page makes a browser do counts against no address, and noise alone blocks no sign-in."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from qikbiz.app.request_pipeline import QikBiz
from qikbiz.kernel.database import control_transaction
from qikbiz.kernel.errors import TooMany
from qikbiz.security.ip_reputation import actions, limiter, points
from qikbiz.security.ip_reputation.events import record_event
from qikbiz.security.ip_reputation.scoring import Observed, evaluate
from qikbiz.security.ip_reputation.signals import BLOCK_AT, NOISE, SLOW_AT, Signal
from tenants.runtime import Runtime
from tests.fixtures.web import Browser
from tests.fixtures.world import World

pytestmark = pytest.mark.promise("P5")
OFFICE = "198.51.100.61"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
# What a page can make a browser request: pictures, frames, links and forms of every kind that scores.
CROSS_SITE = (
    ("GET", "/wp-login.php"),
    ("GET", "/.env"),
    ("GET", "/invitation/nonsense"),
    ("GET", "/new-password/nonsense"),
    ("POST", "/login"),
    ("POST", "/forgot"),
    ("GET", "/login/sso/back?state=x&code=y"),
)


def verdicts() -> tuple[str, str]:
    """What the limiter says now, and what the worker would decide."""
    with control_transaction():
        judged = actions.check_address(OFFICE).verdict
    return limiter.answer(OFFICE).verdict, judged


def events() -> int:
    with control_transaction() as session:
        return int(session.scalar(text("SELECT count(*) FROM abuse_events")) or 0)


def in_office(browser: Browser) -> Browser:
    browser.address = OFFICE
    return browser


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image"},
        # Another customer's workspace is another site too.
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate"},
        {"Origin": "https://elsewhere.example"},
    ],
    ids=["a picture", "a neighbour's link", "an old browser's form"],
)
def test_nothing_that_another_site_sends_changes_a_verdict(
    world: World, browser_at: Callable[[str], Browser], headers: dict[str, str]
) -> None:
    victim = in_office(browser_at("acme.localhost"))
    for _ in range(3):
        for method, path in CROSS_SITE:
            victim.open(path, method=method, headers=headers, check=False)
    in_office(browser_at("nobody-there.localhost")).open("/", method="GET", headers=headers, check=False)
    assert events() == 0
    assert verdicts() == ("allow", "none")


def test_a_page_of_probes_in_a_browser_that_names_no_site_leaves_the_sign_in_open(
    world: World, browser_at: Callable[[str], Browser]
) -> None:
    victim = in_office(browser_at("acme.localhost"))
    for number in range(12):
        victim.get(f"/pictures/{number}/wp-login.php", check=False)
        victim.get(f"/invitation/nonsense{number}", check=False)
        victim.open("/login", method="POST", data={"email": "a"}, check=False)
        in_office(browser_at("nobody-there.localhost")).get("/", check=False)
    # Staff see it, and that is all.
    assert verdicts() == ("allow", "watch")
    answer = in_office(browser_at("acme.localhost")).log_in(world.alice.email, world.alice.password)
    assert answer.status_code == 303


def test_somebody_signed_in_is_not_scored(world: World, client_for: Callable[[str], Browser]) -> None:
    alice = in_office(client_for("alice"))
    before = events()
    for path in ("/wp-login.php", "/.git/config", "/invitation/old"):
        alice.get(path, check=False)
    alice.post("/companies/", {"name": "x"}, csrf=False, check=False)
    assert events() == before
    # A sign-in form counts also from a user who is signed in: an account of one's own allows no guesses at others'.
    alice.log_in("somebody@example.com", "wrong wrong wrong")
    assert events() == before + 1


def test_guesses_still_block_and_noise_beside_them_makes_it_sooner() -> None:
    guesses = [Observed(Signal.LOGIN_UNKNOWN, NOW, "alice") for _ in range(14)]
    probes = [Observed(Signal.PROBE, NOW) for _ in range(200)]
    assert evaluate(guesses, NOW).verdict == "slow"
    assert evaluate([*guesses, *probes], NOW).verdict == "block"
    assert evaluate(probes, NOW).verdict == "watch"


@given(st.lists(st.sampled_from(sorted(NOISE)), max_size=400), st.sampled_from([1, 4, 6, 8]))
def test_noise_alone_neither_slows_nor_blocks_however_much_it_is(kinds: list[Signal], factor: int) -> None:
    judged = evaluate([Observed(kind, NOW - timedelta(seconds=n)) for n, kind in enumerate(kinds)], NOW, factor=factor)
    assert judged.verdict in ("none", "watch")
    assert judged.score < SLOW_AT * factor


def test_noise_does_not_keep_guesses_from_being_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind, most in (("noise-rows", 3), ("rows", 4)):
        monkeypatch.setitem(points.RECORDED_PER_WINDOW, kind, most)
    for _ in range(9):
        record_event(Signal.PROBE, address=OFFICE)
    for _ in range(9):
        record_event(Signal.LOGIN_FAILED, address=OFFICE, account="alice@example.com")
    assert events() == 3 + 4


def test_of_a_hundred_tries_at_once_no_more_pass_than_the_limit_allows(app: QikBiz) -> None:
    def attempt(_number: int) -> bool:
        with app.app_context():
            try:
                points.begin_try(OFFICE, 2)
            except TooMany:
                return False
            return True

    with ThreadPoolExecutor(16) as threads:
        passed = sum(threads.map(attempt, range(100)))
    assert passed == BLOCK_AT // 2


def test_a_right_try_gives_its_points_back(working: Runtime) -> None:
    for _ in range(100):
        points.begin_try(OFFICE, 2)()
    assert limiter.answer(OFFICE).verdict == "allow"
    assert points.count(OFFICE, 0) == 0


def test_a_redis_that_times_out_under_load_opens_nothing(working: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(30):
        points.begin_try(OFFICE, 2)
    monkeypatch.setattr(working.redis, "_rest_until", float("inf"))
    passed = 0
    for _ in range(30):
        try:
            points.begin_try(OFFICE, 2)
        except TooMany:
            break
        passed += 1
    # What was counted before it went away still counts.
    assert passed == BLOCK_AT // 2 - 30


def test_an_address_that_people_let_in_is_not_stopped_by_points(working: Runtime) -> None:
    limiter.enforce(points.unit_of(OFFICE), "allow", "reference", None)
    for _ in range(100):
        points.begin_try(OFFICE, 2)
