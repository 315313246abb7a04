"""Keys are rolled without ending a session; a key that is removed at once ends all of them."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from config.keys import Key, KeyRing
from qikbiz.app.application import create_app
from qikbiz.web.cookies import REMEMBER, SESSION
from tests.fixtures.web import Browser

IN, OUT = 200, 303


@pytest.fixture
def processes(world) -> Iterator[Callable[..., object]]:
    """A function that starts a process with this key ring."""
    started = []

    def start(*keys: Key):
        app = create_app(replace(world.settings, keys=KeyRing(keys)), process="tests-keys")
        # The cells' DSNs are sealed with the same ring; sealing them again is the roll's own step, not what is tested.
        app.extensions["qikbiz"].cells = world.runtime.cells
        started.append(app)
        return app

    yield start
    for app in started:
        app.extensions["qikbiz"].dispose()


@pytest.fixture
def old_key(world) -> Key:
    return world.settings.keys.active


def _key_id(cookie: str) -> int:
    return base64.urlsafe_b64decode(cookie + "=" * (-len(cookie) % 4))[1]


def _move(browser: Browser, app) -> Browser:
    moved = Browser(app, browser.host)
    for name, value in browser.cookies().items():
        moved.set_cookie(name, value)
    return moved


def _state(key: Key, state: str) -> Key:
    return replace(key, state=state)


def test_a_roll_logs_nobody_out_and_renews_the_cookies(processes, log_in, world, old_key):
    new_key = Key(77, os.urandom(32), "accept")
    alice = log_in(world.alice, remember=True)
    knows_both = processes(old_key, new_key)
    assert _move(alice, knows_both).get("/").status_code == IN
    rolled = processes(_state(old_key, "accept"), _state(new_key, "active"))
    moved = _move(alice, rolled)
    assert moved.get("/").status_code == IN
    assert _key_id(moved.cookie(SESSION.name)) == 77
    retired = processes(_state(new_key, "active"), _state(old_key, "retired"))
    assert _move(moved, retired).get("/").status_code == IN
    assert _move(alice, retired).get("/").status_code == OUT


def test_a_remembered_device_outlives_the_roll(processes, log_in, world, old_key):
    alice = log_in(world.alice, remember=True)
    rolled = processes(_state(old_key, "accept"), Key(78, os.urandom(32), "active"))
    moved = _move(alice, rolled)
    moved.forget_cookie(SESSION.name)
    assert moved.get("/").status_code == IN
    assert _key_id(moved.cookie(REMEMBER.name)) == 78


def test_forms_opened_before_the_roll_are_accepted_after_it(processes, log_in, world, old_key):
    alice = log_in(world.alice)
    token = alice.csrf_token()
    rolled = processes(_state(old_key, "accept"), Key(79, os.urandom(32), "active"))
    assert _move(alice, rolled).post("/logout", {"csrf_token": token}).status_code == 303


def test_a_process_without_the_new_key_deletes_no_cookies(processes, app, log_in, world, old_key, caplog):
    rolled = processes(_state(old_key, "accept"), Key(80, os.urandom(32), "active"))
    alice = _move(log_in(world.alice, remember=True), rolled)
    alice.get("/")
    alice.forget_cookie(SESSION.name)
    alice.get("/")
    behind = _move(alice, app)
    answer = behind.get("/")
    assert answer.status_code == OUT
    assert not any("Max-Age=0" in line and "qb_f" not in line for line in answer.headers.getlist("Set-Cookie"))
    assert "cookie_key_unknown" in caplog.text
    assert _move(behind, rolled).get("/").status_code == IN


def test_retiring_a_key_at_once_logs_everyone_out(processes, log_in, world, old_key):
    alice = log_in(world.alice, remember=True)
    emergency = processes(Key(81, os.urandom(32), "active"), _state(old_key, "retired"))
    moved = _move(alice, emergency)
    assert moved.get("/").status_code == OUT
    # In plain words, and once.
    assert "Your session has ended" in moved.get("/login").text
    assert "has ended" not in moved.get("/login").text


def test_whoever_never_logged_in_is_not_told_that_a_login_ended(browser_at, world):
    stranger = browser_at(world.acme.tenant.host)
    assert stranger.get("/contacts").status_code == OUT
    assert "has ended" not in stranger.get("/login").text
