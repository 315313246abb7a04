"""Staff sign in at the console only, by the same rules as users."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from provisioning.cli import qikbiz
from provisioning.logins import reset_staff_factors
from qikbiz.audit.models import PlatformAuditEvent
from qikbiz.kernel.database import control_transaction
from qikbiz.messaging.mail.models import PlatformMail
from qikbiz.web.cookies import REMEMBER, SESSION
from tests.fixtures.devices import DEVICES, Device
from tests.fixtures.mfa import set_up_app, set_up_passkey_at_login
from tests.fixtures.web import Browser
from tests.fixtures.world import World

WORDS = "quiet words for the console"
_numbers = itertools.count(1)


@pytest.fixture
def invite(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Result]:
    """`qikbiz staff invite` for an address."""
    monkeypatch.setattr("config.settings.load_settings", lambda: world.settings)
    words = ("--name", "Nina", "--role", "support", "--json")
    return lambda address: CliRunner().invoke(qikbiz, ["staff", "invite", "--email", address, *words])


@pytest.fixture
def invited(invite: Callable[[str], Result]) -> tuple[str, str]:
    """The path of an invitation to the platform's staff, and the address it went to."""
    address = f"nina{next(_numbers)}@qikbiz.example.com"
    url = json.loads(invite(address).output)["invitation_url"]
    assert url.startswith("http://console.localhost:8000/invitation/")
    return "/invitation/" + url.rsplit("/", 1)[1], address


def _moved_in(browser_at, path, address):
    """Nina's browser after the invitation and the passkey, which later logins show too."""
    browser = browser_at("console.localhost")
    browser.post(path, {"name": "Nina", "password": WORDS})
    device = DEVICES[address] = Device(browser.app.extensions["qikbiz"].settings.origin(browser.host))
    assert set_up_passkey_at_login(browser, device).status_code == 200
    return browser


def test_nina_accepts_and_sees_the_console(app, browser_at, invited):
    path, address = invited
    browser = _moved_in(browser_at, path, address)
    assert browser.get("/profile").status_code == 200
    assert browser_at("console.localhost").log_in(address, WORDS).location == "/"
    with app.app_context(), control_transaction() as work:
        actions = set(work.scalars(select(PlatformAuditEvent.action).where(PlatformAuditEvent.subject == address)))
    assert actions == {"user.invited", "user.joined", "factor.added", "login.opened"}


def test_an_invitation_is_emailed_and_refused_for_one_who_has_accepted(app, browser_at, invited, invite):
    path, address = invited
    with app.app_context(), control_transaction() as work:
        mails = work.scalars(select(PlatformMail.template).where(PlatformMail.to_address == address)).all()
    assert mails == ["staff_invitation"]
    _moved_in(browser_at, path, address)
    refused = invite(address)
    assert refused.exit_code == 1
    assert f"{address} already has an account here." in refused.output


def test_before_anything_else_nina_sets_up_a_second_factor(browser_at, invited):
    path, address = invited
    browser = browser_at("console.localhost")
    assert browser.post(path, {"name": "Nina", "password": WORDS}).location == "/login/set-up"
    assert browser.cookie(SESSION.name) is None
    for page in ("/", "/profile", "/profile/security", "/addresses"):
        assert browser.get(page).status_code == 303
    # Coming again with the password alone leads to the same place.
    again = browser_at("console.localhost")
    assert again.log_in(address, WORDS).location == "/login/set-up"
    assert again.get("/login/set-up/app").status_code == 200
    assert again.get("/profile").status_code == 303


def test_staff_may_use_an_app_and_keep_their_last_factor(browser_at, invited):
    path, address = invited
    browser = browser_at("console.localhost")
    browser.post(path, {"name": "Nina", "password": WORDS})
    _secret, codes = set_up_app(browser, "/login/set-up/app")
    assert len(codes) == 10
    assert browser.get("/profile/security").status_code == 200
    assert browser.post("/profile/security/app/removal").status_code == 409
    other = browser_at("console.localhost")
    assert other.log_in(address, WORDS).location == "/login/second-step"
    assert other.post("/login/second-step", {"code": codes[0]}).location == "/"


def test_a_command_takes_lost_factors_off_and_the_next_login_sets_up_new_ones(browser_at, invited, app, world):
    path, address = invited
    browser = _moved_in(browser_at, path, address)
    assert reset_staff_factors(world.settings, address) == 11
    assert browser.get("/profile").status_code == 303
    assert browser_at("console.localhost").log_in(address, WORDS).location == "/login/set-up"
    with app.app_context(), control_transaction() as work:
        wanted = select(PlatformAuditEvent).where(PlatformAuditEvent.action == "factor.reset")
        event = work.scalars(wanted.where(PlatformAuditEvent.subject == address)).one()
    assert event.actor_kind == "system"
    assert event.details == {"factors": 11}


def test_an_invitation_of_the_console_opens_nothing_at_a_tenant(browser_at, invited):
    assert browser_at("acme.localhost").get(invited[0]).status_code == 410


def test_staff_change_their_password_and_see_their_devices(app, browser_at, invited):
    path, address = invited
    browser = _moved_in(browser_at, path, address)
    other = browser_at("console.localhost")
    other.log_in(address, WORDS)
    assert browser.get("/profile/sessions").text.count("/end") >= 1
    form = {"old_password": WORDS, "password": "louder words for the console"}
    assert browser.post("/profile/password", form).status_code == 303
    assert other.get("/profile").status_code == 303
    assert browser.get("/profile").status_code == 200


def test_the_console_remembers_no_device(browser_at, world):
    browser = browser_at("console.localhost")
    assert "Stay signed in" not in browser.get("/login").text
    answer = browser.log_in(world.sam.email, world.sam.password, remember=True)
    assert not any(line.startswith(REMEMBER.name) for line in answer.headers.getlist("Set-Cookie"))


def test_a_staff_cookie_opens_nothing_at_a_tenant(app, log_in, world):
    sam = log_in(world.sam)
    stranger = Browser(app, "acme.localhost")
    stranger.set_cookie(SESSION.name, sam.cookie(SESSION.name))
    assert stranger.get("/").status_code == 303
    assert sam.get("/profile").status_code == 200


def test_staff_stay_logged_in_while_redis_is_away(log_in, world, without_redis):
    sam = log_in(world.sam)
    with without_redis():
        assert sam.get("/profile").status_code == 200
        sam.post("/logout")
        assert sam.get("/profile").status_code == 303
