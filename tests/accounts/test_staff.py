"""Staff log in at the console only, by the same rules as everyone."""

from __future__ import annotations

import itertools

import pytest
from sqlalchemy import select

from qikbiz.accounts.actions import invite_staff
from qikbiz.console.models import PlatformAuditEvent
from qikbiz.database import control_work
from qikbiz.web.cookies import REMEMBER, SESSION
from tests.fixtures.web import Browser

_numbers = itertools.count(1)


@pytest.fixture
def invited(app):
    """The path of an invitation to the platform's staff, and the address it went to."""
    address = f"nina{next(_numbers)}@qikbiz.example.com"
    with app.app_context(), control_work():
        url = invite_staff(address, "Nina", "support", invited_by="Olivia")
    assert url.startswith("http://console.localhost:8000/invitation/")
    return "/invitation/" + url.rsplit("/", 1)[1], address


def test_nina_accepts_and_sees_the_console(app, browser_at, invited):
    path, address = invited
    browser = browser_at("console.localhost")
    assert browser.post(path, {"name": "Nina", "password": "quiet words for the console"}).status_code == 303
    assert browser.get("/profile").status_code == 200
    assert browser_at("console.localhost").log_in(address, "quiet words for the console").status_code == 303
    with app.app_context(), control_work() as work:
        actions = set(work.scalars(select(PlatformAuditEvent.action).where(PlatformAuditEvent.subject == address)))
    assert actions == {"user.invited", "user.joined", "login.opened"}


def test_an_invitation_of_the_console_opens_nothing_at_a_tenant(browser_at, invited):
    assert browser_at("acme.localhost").get(invited[0]).status_code == 410


def test_staff_change_their_password_and_see_their_devices(app, browser_at, invited):
    path, address = invited
    browser = browser_at("console.localhost")
    browser.post(path, {"name": "Nina", "password": "quiet words for the console"})
    other = browser_at("console.localhost")
    other.log_in(address, "quiet words for the console")
    assert browser.get("/profile/sessions").text.count("/end") >= 1
    form = {"old_password": "quiet words for the console", "password": "louder words for the console"}
    assert browser.post("/profile/password", form).status_code == 303
    assert other.get("/profile").status_code == 303
    assert browser.get("/profile").status_code == 200


def test_the_console_remembers_no_device(browser_at, platform):
    browser = browser_at("console.localhost")
    assert "Stay logged in" not in browser.get("/login").text
    answer = browser.log_in(platform.sam.email, platform.sam.password, remember=True)
    assert not any(line.startswith(REMEMBER.name) for line in answer.headers.getlist("Set-Cookie"))


def test_a_staff_cookie_opens_nothing_at_a_tenant(app, log_in, platform):
    sam = log_in(platform.sam)
    stranger = Browser(app, "acme.localhost")
    stranger.set_cookie(SESSION.name, sam.cookie(SESSION.name))
    assert stranger.get("/").status_code == 303
    assert sam.get("/profile").status_code == 200


def test_staff_stay_logged_in_while_redis_is_away(log_in, platform, without_redis):
    sam = log_in(platform.sam)
    with without_redis():
        assert sam.get("/profile").status_code == 200
        sam.post("/logout")
        assert sam.get("/profile").status_code == 303
