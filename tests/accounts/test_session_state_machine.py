"""In any order of events, a request has a session exactly when the model says so."""

from __future__ import annotations

import itertools
import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from config.keys import Key, KeyRing
from qikbiz.identity.accounts import lifetimes
from qikbiz.identity.accounts.realms import Realm
from qikbiz.identity.sessions.sessions import PURPOSE
from qikbiz.web.cookies import REMEMBER, SESSION
from tenants.context import Tenant
from tests.accounts.conftest import Clock
from tests.fixtures.web import Browser

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
DEVICES = st.integers(0, 2)
_PASSWORDS = (f"quiet staple number {word}" for word in itertools.count())


@dataclass
class Device:
    """What the model knows of one browser."""

    browser: Browser
    is_in: bool = False
    idle_until: datetime = LONG_AGO
    ends_at: datetime = LONG_AGO
    remembered_until: datetime | None = None


class Sessions(RuleBasedStateMachine):
    """One person with several browsers, two tenants on one server."""

    harness: Any = None

    @initialize()
    def begin(self) -> None:
        self.harness.begin_anew()
        self.person = self.harness.new_person()
        self.password = self.person.password
        self.known: list[Device] = []
        for remember in (False, True, True):
            self._log_in(Device(Browser(self.harness.app, self.person.tenant.host)), remember=remember)

    @property
    def now(self) -> datetime:
        return self.harness.clock.now()

    @rule(number=DEVICES, remember=st.booleans())
    def log_in(self, number: int, remember: bool) -> None:
        self._log_in(self.known[number], remember=remember)

    @rule(number=DEVICES)
    def request(self, number: int) -> None:
        device = self.known[number]
        expected = self._expects_in(device)
        assert self._is_in(device.browser) == expected
        self.harness.note_records()

    @rule(number=DEVICES)
    def open_a_tab(self, number: int) -> None:
        """A second window with the same cookies at the same time."""
        device = self.known[number]
        tab = Browser(device.browser.app, device.browser.host)
        for name, value in device.browser.cookies().items():
            tab.set_cookie(name, value)
        expected = self._expects_in(device)
        assert self._is_in(tab) == expected
        for name, value in tab.cookies().items():
            device.browser.set_cookie(name, value)

    @rule(number=DEVICES, is_other_slow=st.booleans())
    def log_out(self, number: int, is_other_slow: bool) -> None:
        device = self.known[number]
        self._be_in(device)
        self.harness.note_records()
        kept = device.browser.cookies()
        device.browser.post("/logout")
        device.is_in, device.remembered_until = False, None
        # As a thief would, who copied the cookies before.
        for name, value in kept.items():
            device.browser.set_cookie(name, value)
        self._slow_requests_end(is_other_slow)

    def _slow_requests_end(self, there_are_some: bool) -> None:
        """Requests that had loaded their sessions before write back what they knew; then every browser is checked."""
        if there_are_some:
            self.harness.write_back_old_records()
        for device in self.known:
            expected = self._expects_in(device)
            assert self._is_in(device.browser) == expected

    @rule(number=DEVICES, other=DEVICES, is_other_slow=st.booleans())
    def end_one_from_the_list(self, number: int, other: int, is_other_slow: bool) -> None:
        device, ended = self.known[number], self.known[other]
        if device is ended:
            return
        self._be_in(device)
        self._be_in(ended)
        self.harness.note_records()
        self.harness.end_session_of(ended.browser, by=device.browser)
        ended.is_in, ended.remembered_until = False, None
        self._slow_requests_end(is_other_slow)

    @rule(number=DEVICES, is_other_slow=st.booleans())
    def end_all_others(self, number: int, is_other_slow: bool) -> None:
        device = self.known[number]
        self._be_in(device)
        self.harness.note_records()
        device.browser.post("/profile/sessions/end-others")
        for other in self.known:
            # Every remembered device goes, this one's series too; its session stays.
            other.remembered_until = None
            if other is not device:
                other.is_in = False
        self._slow_requests_end(is_other_slow)

    @rule(number=DEVICES, is_other_slow=st.booleans())
    def change_the_password(self, number: int, is_other_slow: bool) -> None:
        device = self.known[number]
        self._be_in(device)
        self.harness.note_records()
        new = next(_PASSWORDS)
        answer = device.browser.post("/profile/password", {"old_password": self.password, "password": new})
        assert answer.status_code == 303
        self.password = new
        for other in self.known:
            other.remembered_until = None
            if other is not device:
                other.is_in = False
        self._slow_requests_end(is_other_slow)

    @rule(number=DEVICES)
    def close_the_browser(self, number: int) -> None:
        device = self.known[number]
        device.browser.close()
        device.is_in = False

    @rule(number=DEVICES)
    def carry_the_cookies_to_another_tenant(self, number: int) -> None:
        device = self.known[number]
        elsewhere = Browser(self.harness.app, "globex.localhost")
        for name, value in device.browser.cookies().items():
            elsewhere.set_cookie(name, value)
        assert not self._is_in(elsewhere)

    @rule(minutes=st.sampled_from([1, 1, 20, 45, 61, 730]))
    def time_passes(self, minutes: int) -> None:
        self.harness.clock.move(minutes=minutes)

    @rule()
    def redis_is_wiped(self) -> None:
        self.harness.wipe_redis()

    @rule()
    def the_key_is_rolled(self) -> None:
        self.harness.roll_key()

    @rule()
    def somebody_without_cookies_is_never_in(self) -> None:
        assert not self._is_in(Browser(self.harness.app, self.person.tenant.host))

    def _expects_in(self, device: Device) -> bool:
        """What the next request of this device should find, and what it changes."""
        if device.is_in and self.now < min(device.idle_until, device.ends_at):
            # Use is written down once a minute, so an end may come a minute early; time moves by minutes at least.
            device.idle_until = min(self.now + lifetimes.IDLE, device.ends_at)
            return True
        device.is_in = False
        if device.remembered_until and self.now < device.remembered_until:
            self._has_entered(device)
            device.remembered_until = self.now + lifetimes.REMEMBER
            return True
        device.remembered_until = None
        return False

    def _log_in(self, device: Device, *, remember: bool) -> None:
        answer = device.browser.log_in(self.person.email, self.password, remember=remember)
        if answer.location and device not in self.known:
            self.known.append(device)
        assert answer.status_code == 303
        self._has_entered(device)
        device.remembered_until = self.now + lifetimes.REMEMBER if remember else None

    def _be_in(self, device: Device) -> None:
        if not self._expects_in(device):
            self._log_in(device, remember=False)

    def _has_entered(self, device: Device) -> None:
        device.is_in = True
        device.idle_until = self.now + lifetimes.IDLE
        device.ends_at = self.now + lifetimes.ABSOLUTE

    def _is_in(self, browser: Browser) -> bool:
        return browser.get("/profile", check=False).status_code == 200


class SessionHarness:
    """What surrounds the machine: an application whose keys can be rolled, a clock, a Redis that loses everything."""

    def __init__(self, app: Any, clock: Clock, tenant: Tenant, new_person: Any) -> None:
        self.app = app
        self.tenant = tenant
        self.clock = clock
        self.new_person = new_person
        self._old: dict[str, str] = {}
        self._next_key = 100

    def begin_anew(self) -> None:
        """What is known of others says nothing about the next person."""
        self._old.clear()

    def wipe_redis(self) -> None:
        self.note_records()
        with self._redis.client() as client:
            client.flushall()

    def note_records(self) -> None:
        self._old |= self._records()

    def write_back_old_records(self) -> None:
        if self._old:
            with self._redis.client() as client:
                client.mset(self._old)

    def end_session_of(self, browser: Browser, *, by: Browser) -> None:
        """Press “Log out” beside that browser's session in the list, as `by` sees it."""
        browser.get("/profile", check=False)
        opened = self.app.extensions["qikbiz"].settings.keys.open(
            SESSION.purpose, browser.cookie(SESSION.name), bound_to=SESSION.name
        )
        with self.app.app_context():
            keys = Realm(self.tenant, browser.host).macs(PURPOSE, opened.plaintext[-32:])
        token = by.csrf_token()
        answers = [by.post(f"/profile/sessions/{key.hex()}/end", {"csrf_token": token}, check=False) for key in keys]
        assert 303 in [answer.status_code for answer in answers]

    def roll_key(self) -> None:
        runtime = self.app.extensions["qikbiz"]
        kept = [replace(key, state="accept") for key in runtime.settings.keys.keys if key.state != "retired"]
        self._next_key += 1
        ring = KeyRing((*kept, Key(self._next_key % 256, os.urandom(32), "active")))
        runtime.settings = replace(runtime.settings, keys=ring)

    def _records(self) -> dict[str, str]:
        with self._redis.client() as client:
            names = client.keys(f"qb:t:{self.tenant.id.hex}:s:*")
            return (
                {name: value for name, value in zip(names, client.mget(names), strict=True) if value} if names else {}
            )

    @property
    def _redis(self) -> Any:
        return self.app.extensions["qikbiz"].redis


@pytest.fixture
def session_harness(app, clock, world, add_person, fresh_tenant):
    numbers = itertools.count(1)
    tenant = fresh_tenant()
    runtime = app.extensions["qikbiz"]
    before = runtime.settings
    yield SessionHarness(app, clock, tenant, lambda: add_person(tenant, f"Zoe{next(numbers)}", "member"))
    runtime.settings = before


def test_logged_in_exactly_when_the_model_says_so(session_harness):
    Sessions.harness = session_harness

    class Run(Sessions.TestCase):  # type: ignore[misc, name-defined]
        settings = settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            # Making a failure shorter would take minutes; two dozen steps can be read as they are.
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )

    Run().runTest()


def test_a_minute_is_the_least_that_the_model_knows():
    assert timedelta(minutes=1) >= lifetimes.SEEN_EVERY
    assert REMEMBER.life == lifetimes.REMEMBER
