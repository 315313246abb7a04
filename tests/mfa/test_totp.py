"""Promise P10: an authenticator app beside the password. Each code is good once, and a pending login is no session."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from qikbiz.identity.accounts import lifetimes
from qikbiz.web.cookies import HALF_LOGIN, SESSION
from tests.fixtures.mfa import code_of, set_up_app
from tests.fixtures.web import Browser

STEP = "/login/second-step"


@pytest.fixture
def with_app(log_in, nora, clock):
    """Nora's browser after setting up the app, its secret and the recovery codes."""
    browser = log_in(nora)
    secret, codes = set_up_app(browser)
    clock.move(seconds=60)
    return browser, secret, codes


def _half(browser_at, person):
    browser = browser_at(person.tenant.host)
    answer = browser.log_in(person.email, person.password, target="/contacts")
    assert answer.location == STEP
    return browser


@pytest.mark.promise("P10")
def test_the_password_alone_is_no_longer_enough(with_app, browser_at, nora):
    browser = _half(browser_at, nora)
    assert browser.cookie(SESSION.name) is None
    assert browser.get("/contacts").status_code == 303
    assert nora.email in browser.get(STEP).text


@pytest.mark.promise("P10")
def test_the_code_of_the_app_opens_the_door_to_where_one_wanted_to_go(with_app, browser_at, nora):
    _, secret, _ = with_app
    browser = _half(browser_at, nora)
    answer = browser.post(STEP, {"code": code_of(secret)})
    assert answer.location == "/contacts"
    assert browser.get("/contacts").status_code == 200
    assert browser.cookie(HALF_LOGIN.name) is None


@pytest.mark.promise("P10")
@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_a_clock_may_differ_by_half_a_minute(with_app, browser_at, nora, steps):
    _, secret, _ = with_app
    assert _half(browser_at, nora).post(STEP, {"code": code_of(secret, steps=steps)}).status_code == 303


@pytest.mark.promise("P10")
def test_and_by_no_more(with_app, browser_at, nora, subtests):
    _, secret, _ = with_app
    for steps in (-3, -2, 2, 3):
        with subtests.test(steps=steps):
            assert _half(browser_at, nora).post(STEP, {"code": code_of(secret, steps=steps)}).status_code == 401


def test_rubbish_is_refused(with_app, browser_at, nora, subtests):
    for code in ("", "000000x", "١٢٣٤٥٦", "12345", "1234567", "\x00", "9" * 61, "<script>"):
        with subtests.test(code=code):
            assert _half(browser_at, nora).post(STEP, {"code": code}).status_code == 401


@pytest.mark.promise("P10")
def test_a_code_is_good_once_even_when_it_comes_twice_at_the_same_time(with_app, browser_at, nora):
    _, secret, _ = with_app
    code = code_of(secret)
    browsers = [_half(browser_at, nora) for _ in range(4)]
    tokens = [browser.csrf_token() for browser in browsers]

    def send(one):
        return browsers[one].post(STEP, {"code": code, "csrf_token": tokens[one]}, check=False).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(send, range(4))) == [303, 401, 401, 401]
    assert _half(browser_at, nora).post(STEP, {"code": code}).status_code == 401


@pytest.mark.promise("P10")
def test_guessing_is_stopped_after_a_few_tries_from_one_place_alone(with_app, browser_at, nora, add_person, log_in):
    guessing = _half(browser_at, nora)
    for _ in range(6):
        assert guessing.post(STEP, {"code": "000000"}).status_code == 401
    assert guessing.post(STEP, {"code": code_of(with_app[1])}).status_code == 429
    # Guesses from elsewhere, with the right password, don't lock the owner out (tests/accounts).
    assert _half(browser_at, nora).post(STEP, {"code": code_of(with_app[1])}).status_code == 303
    log_in(add_person(nora.tenant, "Otto", "member"))


@pytest.mark.promise("P10")
def test_a_half_login_opens_nothing_and_ends_by_itself(with_app, browser_at, nora, clock, app):
    _, secret, _ = with_app
    browser = _half(browser_at, nora)
    for path in ("/", "/profile/security", "/confirm", "/users"):
        assert browser.get(path).status_code == 303
    clock.move(minutes=11)
    assert browser.get(STEP).status_code == 410
    assert browser.post(STEP, {"code": code_of(secret)}).status_code == 410


@pytest.mark.promise("P10")
def test_a_half_login_is_good_once_and_only_at_its_own_host(with_app, browser_at, nora, app, world, clock):
    _, secret, _ = with_app
    browser = _half(browser_at, nora)
    kept = browser.cookie(HALF_LOGIN.name)
    elsewhere = Browser(app, "acme.localhost")
    elsewhere.set_cookie(HALF_LOGIN.name, kept)
    assert elsewhere.get(STEP).status_code == 410
    assert browser.post(STEP, {"code": code_of(secret)}).status_code == 303
    clock.move(seconds=60)
    again = Browser(app, browser.host)
    again.set_cookie(HALF_LOGIN.name, kept)
    assert again.post(STEP, {"code": code_of(secret)}).status_code == 410
    assert again.cookie(SESSION.name) is None


@pytest.mark.promise("P10")
def test_every_change_to_the_half_login_cookie_is_refused(with_app, browser_at, nora, app):
    kept = _half(browser_at, nora).cookie(HALF_LOGIN.name)
    for position in range(0, len(kept), 7):
        changed = kept[:position] + ("A" if kept[position] != "A" else "B") + kept[position + 1 :]
        browser = Browser(app, nora.tenant.host)
        browser.set_cookie(HALF_LOGIN.name, changed)
        assert browser.get(STEP, check=False).status_code == 410


@pytest.mark.promise("P10")
def test_a_changed_password_ends_half_logins(with_app, browser_at, nora):
    owner, secret, _ = with_app
    browser = _half(browser_at, nora)
    owner.post("/profile/password", {"old_password": nora.password, "password": "quite another staple of horses"})
    assert browser.post(STEP, {"code": code_of(secret)}).status_code == 410


@pytest.mark.promise("P10")
def test_setting_it_up_ends_other_sessions_and_is_told_and_written_down(log_in, nora, rows_of):
    browser, other = log_in(nora), log_in(nora, remember=True)
    _secret, codes = set_up_app(browser)
    assert len(set(codes)) == 10
    assert other.get("/").status_code == 303
    assert browser.get("/profile/security").status_code == 200
    subjects = rows_of(nora.tenant, "select template from mails where template = 'sign_in_changed'")
    assert len(subjects) == 1
    acts = rows_of(nora.tenant, "select details from audit_events where action = 'factor.added'")
    assert [act["details"] for act in acts] == [{"kind": "app"}]


@pytest.mark.promise("P10")
def test_the_secret_lies_sealed_and_opens_for_nobody_else(with_app, nora, rows_of, add_person, log_in, app):
    _, secret, _ = with_app
    kept = rows_of(nora.tenant, "select sealed_secret from user_factors where kind = 'app'")[0]["sealed_secret"]
    assert secret not in kept
    otto = add_person(nora.tenant, "Otto", "member")
    rows_of(
        nora.tenant,
        "insert into user_factors (id, person_id, kind, sealed_secret) values (gen_random_uuid(), :p, 'app', :s)",
        p=otto.id,
        s=kept,
    )
    browser = Browser(app, nora.tenant.host)
    assert browser.log_in(otto.email, otto.password).location == STEP
    assert browser.post(STEP, {"code": code_of(secret)}).status_code == 401


@pytest.mark.promise("P10")
def test_setting_up_needs_a_fresh_login_and_its_own_session(log_in, nora, clock):
    browser, other = log_in(nora), log_in(nora)
    page = browser.get("/profile/security/app").text
    secret = re.search(r'class="app-key">([A-Z2-7 ]+)<', page)[1].replace(" ", "")
    setup = re.search(r'name="setup" type="hidden" value="([^"]+)"', page)[1]
    stolen = other.post("/profile/security/app", {"setup": setup, "code": code_of(secret)})
    assert stolen.status_code == 410
    clock.move(minutes=16)
    assert browser.get("/profile/security/app").location.startswith("/confirm")
    late = browser.post("/profile/security/app", {"setup": setup, "code": code_of(secret)})
    assert late.location.startswith("/confirm")


@pytest.mark.promise("P10")
def test_removing_it_needs_a_fresh_login_and_takes_the_recovery_codes_along(with_app, nora, clock, rows_of):
    browser, secret, _ = with_app
    clock.move(minutes=16)
    assert browser.post("/profile/security/app/removal").location.startswith("/confirm")
    assert browser.post("/confirm", {"password": nora.password}).status_code == 401
    assert browser.post("/confirm", {"password": nora.password, "code": code_of(secret)}).status_code == 303
    assert browser.post("/profile/security/app/removal").location == "/profile/security"
    assert rows_of(nora.tenant, "select id from user_factors") == []
    assert Browser(browser.app, browser.host).log_in(nora.email, nora.password).location == "/"


@pytest.mark.promise("P10")
def test_the_old_password_alone_does_not_make_a_session_fresh(with_app, nora, clock):
    browser, _, _ = with_app
    clock.move(minutes=16)
    new = "quite another staple of horses"
    assert browser.post("/profile/password", {"old_password": nora.password, "password": new}).status_code == 303
    assert browser.post("/profile/security/app/removal").location.startswith("/confirm")


@pytest.mark.promise("P10")
def test_a_new_password_by_mail_does_not_bypass_the_app(with_app, nora, app, rows_of):
    from qikbiz.identity.accounts.models import User
    from qikbiz.identity.accounts.realms import tenant_realm
    from qikbiz.identity.accounts.tokens import make_link
    from qikbiz.kernel.database import tenant_transaction

    with app.app_context(), tenant_transaction(nora.tenant) as work:
        url = make_link(work, tenant_realm(), work.get(User, nora.id), "password", lifetimes.RESET)
    browser = Browser(app, nora.tenant.host)
    path = "/new-password/" + url.rsplit("/", 1)[1]
    answer = browser.post(path, {"password": "quite another staple of horses"})
    assert answer.location == STEP
    assert browser.cookie(SESSION.name) is None
    assert browser.get("/").status_code == 303
    assert browser.post(STEP, {"code": code_of(with_app[1])}).status_code == 303


@pytest.mark.promise("P10")
def test_somebody_elses_secret_can_not_be_set_up_for_me(log_in, nora, world):
    """A form of one organisation is worth nothing in another."""
    page = log_in(world.mallory).get("/profile/security/app").text
    secret = re.search(r'class="app-key">([A-Z2-7 ]+)<', page)[1].replace(" ", "")
    setup = re.search(r'name="setup" type="hidden" value="([^"]+)"', page)[1]
    assert log_in(nora).post("/profile/security/app", {"setup": setup, "code": code_of(secret)}).status_code == 410
