"""Guesses never lock an account: its sign-in gets slower and asks for more, and the owner's password still works."""

from __future__ import annotations

import pytest

from qikbiz.identity.accounts import throttles
from qikbiz.identity.login.login_steps import words_for_method
from qikbiz.security.rate_limits.limits import Limit
from tests.accounts.test_sign_in_throttling import WRONG
from tests.fixtures.mfa import add_passkey, code_of, log_in_by_passkey, set_up_app
from tests.fixtures.page_checks import csrf_token_in

MAILED, SECOND = "/login/mailed-code", "/login/second-step"


@pytest.fixture
def quinn(fresh_tenant, add_person):
    return add_person(fresh_tenant(), "Quinn", "administrator")


@pytest.fixture
def attacked(browser_at, quinn):
    """Ten wrong tries from each of five addresses: as many as a name may have in an hour."""
    for _ in range(5):
        assert guess(browser_at(quinn.tenant.host), quinn.email) == [401] * 10
    return quinn


def guess(browser, email, tries=10):
    """Wrong passwords one after the other, by one form as a program would; what each was answered."""
    form = {"email": email, "password": WRONG, "csrf_token": csrf_token_in(browser.get("/login").text)}
    return [browser.post("/login", form, check=not number).status_code for number in range(tries)]


@pytest.mark.promise("P10")
def test_the_right_password_from_a_new_place_needs_a_code_by_mail_and_then_opens(browser_at, attacked, codes_of):
    owner = browser_at(attacked.tenant.host)
    assert owner.log_in(attacked.email, attacked.password, target="/contacts/").location == MAILED
    assert owner.get("/").status_code in (302, 303), "it is no session yet"
    page = owner.get(MAILED)
    assert attacked.email in page.text and "many failed attempts" in page.text
    (code,) = codes_of(attacked)
    wrong = owner.post(MAILED, {"code": "aaaa-bbbb"})
    assert wrong.status_code == 401 and "Incorrect" in wrong.text
    right = owner.post(MAILED, {"code": code.upper().replace("-", " ")})
    assert (right.status_code, right.location) == (303, "/contacts/")
    assert owner.get("/").status_code == 200
    assert words_for_method("password+mailed+app") == "Password, emailed code and authenticator app"
    # The code is used up, for the next one who knows the password too.
    thief = browser_at(attacked.tenant.host)
    assert thief.log_in(attacked.email, attacked.password).location == MAILED
    assert thief.post(MAILED, {"code": code}).status_code == 401


@pytest.mark.promise("P10")
def test_who_goes_on_guessing_gets_slower_and_learns_nothing_by_names(browser_at, attacked):
    stranger = browser_at(attacked.tenant.host)
    assert [stranger.log_in(attacked.email, WRONG).status_code for _ in range(4)] == [401] * 3 + [429]
    for _ in range(5):
        assert guess(browser_at(attacked.tenant.host), "nobody@example.com") == [401] * 10
    stranger = browser_at(attacked.tenant.host)
    assert [stranger.log_in("nobody@example.com", WRONG).status_code for _ in range(4)] == [401] * 3 + [429]


@pytest.mark.promise("P10")
def test_codes_asked_for_by_somebody_else_neither_end_nor_use_up_the_owner_s(browser_at, attacked, codes_of, clock):
    owner = browser_at(attacked.tenant.host)
    owner.log_in(attacked.email, attacked.password)
    for _ in range(3):
        thief = browser_at(attacked.tenant.host)
        thief.log_in(attacked.email, attacked.password)
        for _ in range(3):
            thief.post(f"{MAILED}/again")
    first = codes_of(attacked)[0]
    assert owner.post(MAILED, {"code": first}).status_code == 303
    clock.move(minutes=61)
    late = browser_at(attacked.tenant.host)
    assert late.log_in(attacked.email, attacked.password).location == MAILED
    assert late.post(MAILED, {"code": codes_of(attacked)[1]}).status_code == 401, "older than an hour"


def test_a_code_of_one_person_is_not_another_s(browser_at, attacked, add_person, codes_of):
    rose = add_person(attacked.tenant, "Rose", "member")
    owner = browser_at(attacked.tenant.host)
    owner.log_in(attacked.email, attacked.password)
    for _ in range(5):
        assert guess(browser_at(attacked.tenant.host), rose.email) == [401] * 10
    other = browser_at(attacked.tenant.host)
    assert other.log_in(rose.email, rose.password).location == MAILED
    assert other.post(MAILED, {"code": codes_of(attacked)[0]}).status_code == 401


@pytest.mark.promise("P10")
def test_a_passkey_opens_however_many_tries_there_were(browser_at, quinn, log_in, device_for, monkeypatch):
    known = log_in(quinn)
    device = device_for(known)
    add_passkey(known, device)
    for _ in range(6):
        guess(browser_at(quinn.tenant.host), quinn.email)
    owner = browser_at(quinn.tenant.host)
    # Even behind an address that has asked for passkeys all day.
    for _ in range(130):
        owner.question("/login/passkey/question")
    assert log_in_by_passkey(owner, device).location == "/profile"
    # And as the second factor, after the password: no email is needed beside what can't be guessed.
    other = browser_at(quinn.tenant.host)
    assert other.log_in(quinn.email, quinn.password).location == SECOND
    shown = device.get(other.question(f"{SECOND}/question"))
    assert other.post(f"{SECOND}/passkey", {"credential": shown}).status_code == 303


@pytest.mark.promise("P10")
def test_who_knows_the_password_and_guesses_codes_keeps_nobody_from_the_right_one(
    browser_at, quinn, log_in, codes_of, clock, monkeypatch
):
    known = log_in(quinn)
    secret, _ = set_up_app(known)
    _lower_sum(monkeypatch, 12)
    for _ in range(2):
        thief = browser_at(quinn.tenant.host)
        thief.log_in(quinn.email, quinn.password)
        assert [thief.post(SECOND, {"code": "000000"}).status_code for _ in range(7)] == [401] * 6 + [429]
    clock.move(seconds=31)
    owner = browser_at(quinn.tenant.host)
    assert owner.log_in(quinn.email, quinn.password).location == SECOND
    assert owner.post(SECOND, {"code": code_of(secret)}).location == MAILED
    code = codes_of(quinn)[-1]
    assert owner.post(MAILED, {"code": code}).location == SECOND
    assert owner.post(SECOND, {"code": code_of(secret)}).location == "/"
    # Who guesses can't even have a code looked at any more.
    thief = browser_at(quinn.tenant.host)
    thief.log_in(quinn.email, quinn.password)
    clock.move(seconds=31)
    assert thief.post(SECOND, {"code": code_of(secret)}).location == MAILED
    # And who is signed in confirms as before.
    confirmed = known.post("/confirm", {"password": quinn.password, "code": code_of(secret, steps=1), "next": "/"})
    assert confirmed.status_code == 303


def test_strangers_can_t_use_up_the_break_glass_code(monkeypatch):
    counted = []
    monkeypatch.setattr(throttles, "_unit", lambda: "here")
    monkeypatch.setattr(throttles, "_count", lambda _realm, limits: counted.extend(limits))
    throttles.try_break_glass(None)
    assert [limit.subject for limit in counted] == ["glass:unit:here"]


def test_what_another_site_asks_of_the_identity_provider_leaves_our_own_button_alone(monkeypatch):
    counted = []
    monkeypatch.setattr(throttles, "_unit", lambda: "here")
    monkeypatch.setattr(throttles, "_count", lambda _realm, limits: counted.append({x.subject for x in limits}))
    throttles.ask_provider(None)
    throttles.ask_provider(None, is_cross_site=True)
    assert counted[0].isdisjoint(counted[1])


def _lower_sum(monkeypatch, tries):
    class Lowered(Limit):
        def __new__(cls, name, most, seconds):
            return Limit(name, tries if name.startswith("factor-all") else most, seconds)

    monkeypatch.setattr(throttles, "Limit", Lowered)
