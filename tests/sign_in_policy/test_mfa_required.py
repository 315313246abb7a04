"""Promise P16: a second factor for all or by role. Who has none sets one up at the next login, before anything else."""

from __future__ import annotations

import pytest

from qikbiz.identity.accounts import lifetimes
from qikbiz.web.cookies import SESSION
from tests.fixtures.devices import Device
from tests.fixtures.mfa import set_up_app, set_up_passkey_at_login
from tests.fixtures.web import Browser

pytestmark = pytest.mark.promise("P16")
SET_UP = "/login/set-up"


def _new(browser: Browser) -> Browser:
    return Browser(browser.app, browser.host)


def test_who_has_none_is_asked_at_the_next_login_and_not_before(set_policy, log_in, otto):
    at_work = log_in(otto)
    set_policy(factor_for="everyone")
    assert at_work.get("/").status_code == 200
    browser = _new(at_work)
    assert browser.log_in(otto.email, otto.password, target="/contacts").location == SET_UP
    assert browser.cookie(SESSION.name) is None
    assert browser.get("/contacts").status_code == 303
    device = Device(browser.app.extensions["qikbiz"].settings.origin(browser.host))
    page = set_up_passkey_at_login(browser, device).text
    assert 'href="/contacts"' in page
    assert "shown only now" in page
    assert browser.get("/contacts").status_code == 200


def test_by_role(set_policy, log_in, otto, paula, add_person):
    set_policy(factor_for="roles", factor_roles=["reader"])
    log_in(otto)
    ria = add_person(paula.tenant, "Ria", "reader")
    browser = Browser(log_in(paula).app, paula.tenant.host)
    assert browser.log_in(ria.email, ria.password).location == SET_UP


def test_the_last_one_can_not_be_removed(set_policy, log_in, otto):
    browser = log_in(otto)
    set_up_app(browser)
    set_policy(factor_for="everyone")
    assert browser.post("/profile/security/app/removal").status_code == 409
    assert "Set up" in browser.get("/profile/security").text


def test_a_remembered_device_does_not_get_round_it(set_policy, log_in, otto):
    browser = log_in(otto, remember=True)
    set_policy(factor_for="everyone")
    browser.close()
    assert browser.get("/").location.startswith("/login")
    assert browser.log_in(otto.email, otto.password).location == SET_UP


def test_a_link_for_a_new_password_does_not_get_round_it(set_policy, app, otto):
    from qikbiz.identity.accounts.models import User
    from qikbiz.identity.accounts.realms import tenant_realm
    from qikbiz.identity.accounts.tokens import make_link
    from qikbiz.kernel.database import tenant_transaction

    set_policy(factor_for="everyone")
    with app.app_context(), tenant_transaction(otto.tenant) as work:
        url = make_link(work, tenant_realm(), work.get(User, otto.id), "password", lifetimes.RESET)
    browser = Browser(app, otto.tenant.host)
    path = "/new-password/" + url.rsplit("/", 1)[1]
    assert browser.post(path, {"password": "quite another staple of horses"}).location == SET_UP
    assert browser.get("/").status_code == 303


def test_both_a_new_password_and_a_factor_one_after_the_other(set_policy, app, otto):
    set_policy(factor_for="everyone", least_characters="30")
    browser = Browser(app, otto.tenant.host)
    assert browser.log_in(otto.email, otto.password).location == "/login/new-password"
    assert browser.get(SET_UP).status_code == 410
    sent = browser.post("/login/new-password", {"password": "quite another staple of many horses"})
    assert sent.location == SET_UP
    _secret, codes = set_up_app(browser, f"{SET_UP}/app")
    assert len(codes) == 10
    assert browser.get("/").status_code == 200
