"""Trying passwords is slowed by name and by address; no account is ever locked."""

from __future__ import annotations

import pytest

from qikbiz.identity.accounts import throttles
from qikbiz.security.rate_limits.limits import Limit
from qikbiz.web.cookies import SESSION
from tests.fixtures.web import Browser

WRONG = "certainly not the password"


@pytest.fixture
def quinn(fresh_tenant, add_person):
    return add_person(fresh_tenant(), "Quinn", "administrator")


def _same_address(browser: Browser) -> Browser:
    other = Browser(browser.app, browser.host)
    other.address = browser.address
    return other


def test_the_eleventh_try_from_one_address_must_wait(browser_at, quinn):
    browser = browser_at(quinn.tenant.host)
    answers = [browser.log_in(quinn.email, WRONG).status_code for _ in range(11)]
    assert answers == [401] * 10 + [429]
    page = browser.log_in(quinn.email, quinn.password)
    assert page.status_code == 429
    assert 0 < int(page.headers["Retry-After"]) <= 300
    assert "try again in about" in page.text


def test_an_unknown_name_must_wait_just_the_same(browser_at, quinn):
    browser = browser_at(quinn.tenant.host)
    answers = [browser.log_in("nobody@example.com", WRONG).status_code for _ in range(11)]
    assert answers == [401] * 10 + [429]


def test_the_owner_elsewhere_is_not_locked_out(browser_at, quinn):
    attacker = browser_at(quinn.tenant.host)
    for _ in range(12):
        attacker.log_in(quinn.email, WRONG)
    assert browser_at(quinn.tenant.host).log_in(quinn.email, quinn.password).status_code == 303


def test_a_right_password_gives_the_try_back(browser_at, quinn):
    browser = browser_at(quinn.tenant.host)
    for _ in range(15):
        assert browser.log_in(quinn.email, quinn.password).status_code == 303
        browser.forget_cookie(SESSION.name)


def test_a_remembered_device_passes_when_the_name_is_under_attack_from_everywhere(
    browser_at, quinn, log_in, monkeypatch
):
    known = log_in(quinn, remember=True)
    known.forget_cookie(SESSION.name)
    _lower(monkeypatch, "login:name", 3)
    for _ in range(4):
        browser_at(quinn.tenant.host).log_in(quinn.email, WRONG)
    assert browser_at(quinn.tenant.host).log_in(quinn.email, quinn.password).location == "/login/mailed-code"
    # The remembered cookie alone would sign in; the form must let this device pass too, and ask for nothing more.
    page = known.client.post(
        "/login",
        base_url=known.origin,
        data={"email": quinn.email, "password": quinn.password, "csrf_token": known.csrf_token()},
        environ_base=known.environ,
    )
    assert page.status_code == 303


def test_one_colleague_behind_the_same_address_goes_on_working(browser_at, quinn, log_in):
    colleague = log_in(quinn)
    attacker = _same_address(colleague)
    for number in range(40):
        attacker.log_in(f"name{number}@example.com", WRONG)
    assert attacker.get("/login").status_code in (403, 429, 200)
    assert colleague.get("/").status_code == 200


def test_while_redis_is_away_tries_are_still_counted_and_nobody_is_locked_out(browser_at, quinn, without_redis):
    with without_redis():
        attacker = browser_at(quinn.tenant.host)
        answers = [attacker.log_in(quinn.email, WRONG).status_code for _ in range(11)]
        assert answers[-1] == 429
        assert browser_at(quinn.tenant.host).log_in(quinn.email, quinn.password).status_code == 303


def test_a_thousand_mails_are_not_sent(browser_at, quinn, links_of, do_jobs):
    for _ in range(13):
        assert browser_at(quinn.tenant.host).post("/forgot", {"email": quinn.email}).status_code == 200
    do_jobs("passwords.link", quinn.tenant)
    assert len(links_of(quinn)) == 10
    one_address = browser_at(quinn.tenant.host)
    answers = [one_address.post("/forgot", {"email": f"n{n}@example.com"}).status_code for n in range(22)]
    assert answers[-1] == 429


def test_each_failure_is_an_event_of_its_address(browser_at, quinn, app):
    from sqlalchemy import text

    browser = browser_at(quinn.tenant.host)
    browser.log_in(quinn.email, WRONG)
    browser.log_in("nobody@example.com", WRONG)
    query = text("select kind, account_mac from abuse_events where host(address) = :address order by at")
    with app.extensions["qikbiz"].control.connect() as connection:
        rows = connection.execute(query, {"address": browser.address}).all()
    assert [row.kind for row in rows] == ["login_failed", "login_unknown"]
    assert not any(quinn.email in str(row.account_mac) for row in rows)


def _lower(monkeypatch, subject, tries):
    class Lowered(Limit):
        def __new__(cls, name, most, seconds):
            return Limit(name, tries if name.startswith(subject) else most, seconds)

    monkeypatch.setattr(throttles, "Limit", Lowered)
