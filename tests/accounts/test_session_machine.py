"""Whatever happens in whatever order: a request is logged in exactly when the model says so."""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from config.keys import Key, KeyRing
from qikbiz.accounts import times
from qikbiz.web.cookies import REMEMBER, SESSION
from tests.accounts.conftest import Clock
from tests.fixtures.web import Browser

_PASSWORDS = (f"quiet staple number {word}" for word in itertools.count())


@dataclass
class Device:
    """What the model knows of one browser."""

    browser: Browser
    is_in: bool = False
    idle_until: datetime = datetime.min.replace(tzinfo=UTC)
    ends_at: datetime = datetime.min.replace(tzinfo=UTC)
    remembered_until: datetime | None = None
    tabs: list[Browser] = field(default_factory=list)


class Sessions(RuleBasedStateMachine):
    """One person with several browsers, two tenants on one server."""

    world: Any = None
    devices = Bundle("devices")

    @initialize()
    def begin(self) -> None:
        self.person = self.world.new_person()
        self.password = self.person.password
        self.known: list[Device] = []
        self.slow: list[tuple[dict[str, str], dict[str, str]]] = []

    @property
    def now(self) -> datetime:
        return self.world.clock.now()

    @rule(target=devices, remember=st.booleans())
    def log_in(self, remember: bool) -> Any:
        if len(self.known) >= 6:
            return multiple()
        device = Device(Browser(self.world.app, self.person.tenant.host))
        answer = device.browser.log_in(self.person.email, self.password, remember=remember)
        assert answer.status_code == 303
        self._has_entered(device)
        device.remembered_until = self.now + times.REMEMBER if remember else None
        self.known.append(device)
        return device

    @rule(device=devices)
    def request(self, device: Device) -> None:
        expected = self._expects_in(device)
        assert self._is_in(device.browser) == expected

    @rule(device=devices)
    def open_a_tab(self, device: Device) -> None:
        """A second window with the same cookies at the same time."""
        tab = Browser(device.browser.app, device.browser.host)
        for name, value in device.browser.cookies().items():
            tab.set_cookie(name, value)
        expected = self._expects_in(device)
        assert self._is_in(tab) == expected
        for name, value in tab.cookies().items():
            device.browser.set_cookie(name, value)

    @rule(device=devices)
    def log_out(self, device: Device) -> None:
        if not self._expects_in(device):
            return
        device.browser.post("/logout")
        device.is_in, device.remembered_until = False, None

    @rule(device=devices)
    def a_slow_request_writes_back_its_record(self, device: Device) -> None:
        self.world.write_back_old_records()

    @rule(device=devices)
    def end_all_others(self, device: Device) -> None:
        if not self._expects_in(device):
            return
        device.browser.post("/profile/sessions/end-others")
        for other in self.known:
            # Every remembered device goes, this one's series too; its session stays.
            other.remembered_until = None
            if other is not device:
                other.is_in = False

    @rule(device=devices)
    def change_the_password(self, device: Device) -> None:
        if not self._expects_in(device):
            return
        new = next(_PASSWORDS)
        answer = device.browser.post("/profile/password", {"old_password": self.password, "password": new})
        assert answer.status_code == 303
        self.password = new
        for other in self.known:
            other.remembered_until = None
            if other is not device:
                other.is_in = False

    @rule(device=devices)
    def close_the_browser(self, device: Device) -> None:
        device.browser.forget_cookie(SESSION.name)
        device.is_in = False

    @rule(device=devices)
    def carry_the_cookies_to_another_tenant(self, device: Device) -> None:
        elsewhere = Browser(self.world.app, "globex.localhost")
        for name, value in device.browser.cookies().items():
            elsewhere.set_cookie(name, value)
        assert not self._is_in(elsewhere)

    @rule(minutes=st.sampled_from([1, 20, 59, 61, 300, 800]))
    def time_passes(self, minutes: int) -> None:
        self.world.clock.move(minutes=minutes)

    @rule()
    def redis_is_wiped(self) -> None:
        self.world.wipe_redis()

    @rule()
    def the_key_is_rolled(self) -> None:
        self.world.roll_key()

    @invariant()
    def somebody_without_cookies_is_never_in(self) -> None:
        if hasattr(self, "person"):
            assert not self._is_in(Browser(self.world.app, self.person.tenant.host))

    def _expects_in(self, device: Device) -> bool:
        """What the next request of this device should find, and what it changes."""
        if device.is_in and self.now < min(device.idle_until, device.ends_at):
            device.idle_until = min(self._seen(device) + times.IDLE, device.ends_at)
            return True
        device.is_in = False
        if device.remembered_until and self.now < device.remembered_until:
            self._has_entered(device)
            device.remembered_until = self.now + times.REMEMBER
            return True
        device.remembered_until = None
        return False

    def _seen(self, device: Device) -> datetime:
        # Use is written down once a minute, so a session may end up to a minute early; steps are a minute at least.
        return self.now

    def _has_entered(self, device: Device) -> None:
        device.is_in = True
        device.idle_until = self.now + times.IDLE
        device.ends_at = self.now + times.ABSOLUTE

    def _is_in(self, browser: Browser) -> bool:
        return browser.get("/profile", check=False).status_code == 200


class World:
    """What surrounds the machine: an application whose keys can be rolled, a clock, a Redis that loses everything."""

    def __init__(self, app: Any, clock: Clock, new_person: Any) -> None:
        self.app = app
        self.clock = clock
        self.new_person = new_person
        self._old: dict[str, str] = {}
        self._next_key = 100

    def wipe_redis(self) -> None:
        self._old |= self._records()
        with self._redis.client() as client:
            client.flushall()

    def write_back_old_records(self) -> None:
        with self._redis.client() as client:
            for name, value in self._old.items():
                client.set(name, value)
        self._old |= self._records()

    def roll_key(self) -> None:
        runtime = self.app.extensions["qikbiz"]
        kept = [replace(key, state="accept") for key in runtime.settings.keys.keys if key.state != "retired"]
        self._next_key += 1
        ring = KeyRing((*kept, Key(self._next_key % 256, os.urandom(32), "active")))
        runtime.settings = replace(runtime.settings, keys=ring)

    def _records(self) -> dict[str, str]:
        with self._redis.client() as client:
            names = client.keys("qb:t:*:s:*")
            return {name: value for name, value in zip(names, client.mget(names), strict=True) if value} if names else {}

    @property
    def _redis(self) -> Any:
        return self.app.extensions["qikbiz"].redis


@pytest.fixture
def world(app, clock, platform, add_person, fresh_tenant):
    numbers = itertools.count(1)
    tenant = fresh_tenant()
    runtime = app.extensions["qikbiz"]
    before = runtime.settings
    yield World(app, clock, lambda: add_person(tenant, f"Zoe{next(numbers)}", "member"))
    runtime.settings = before


def test_logged_in_exactly_when_the_model_says_so(world):
    Sessions.world = world

    class Run(Sessions.TestCase):  # type: ignore[misc, name-defined]
        settings = settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )

    Run().runTest()


def test_a_minute_is_the_least_that_the_model_knows():
    assert timedelta(minutes=1) >= times.SEEN_EVERY
    assert REMEMBER.life == times.REMEMBER
