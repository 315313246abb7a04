"""Promise P16: an organisation can allow single sign-on only, and can't lock all its users out by it."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from qikbiz.identity.accounts import lifetimes
from qikbiz.web.cookies import REMEMBER, SESSION
from tests.fixtures.devices import Device
from tests.fixtures.mfa import add_passkey, code_of, set_up_app
from tests.fixtures.page_checks import csrf_token_in
from tests.fixtures.web import Browser
from tests.sso.conftest import AS_IT_IS, PAGE, begin, come_back, form_for

pytestmark = pytest.mark.promise("P16")
POLICY, GLASS = "/settings/sign-in-policy", "/break-glass"
ONLY = AS_IT_IS | {"sign_in": "sso"}


@pytest.fixture
def only(sign_on, paula):
    """Paula has come in by single sign-on and made it the only way; gives her browser and the code behind glass."""
    browser, _answer = sign_on(email=paula.email)
    page = browser.post(POLICY, ONLY)
    code = re.search(r'data-copy="([a-z0-9-]{24})"', page.text)
    assert code, page.text
    return browser, code[1]


def _post(browser: Browser, path: str, form=None):
    """The login page has no form any more; the one for the break-glass code carries a token."""
    token = csrf_token_in(browser.get(GLASS).text)
    return browser.post(path, (form or {}) | {"csrf_token": token})


def test_a_password_opens_nothing_right_or_wrong(only, otto, app, rows_of):
    for password in (otto.password, "certainly not it"):
        browser = Browser(app, otto.tenant.host)
        answer = _post(browser, "/login", {"email": otto.email, "password": password, "next": "/"})
        assert answer.status_code == 403
        assert "single sign-on" in answer.text
        assert browser.cookie(SESSION.name) is None
    noted = rows_of(otto.tenant, "select detail from access_events where kind = 'login' and outcome = 'refused'")
    assert len(noted) == 2
    page = Browser(app, otto.tenant.host).get("/login").text
    assert 'type="password"' not in page
    assert "Initech ID" in page
    assert "break-glass" in page


def test_single_sign_on_does(only, sign_on, otto):
    browser, answer = sign_on(email=otto.email)
    assert answer.location == "/"
    assert browser.get("/contacts").status_code == 200


def test_a_passkey_opens_nothing(provider, sign_on, paula, otto, log_in, app):
    device = Device(app.extensions["qikbiz"].settings.origin(otto.tenant.host))
    add_passkey(log_in(otto), device)
    admin, _answer = sign_on(email=paula.email)
    admin.post(POLICY, ONLY)
    browser = Browser(app, otto.tenant.host)
    token = csrf_token_in(browser.get(GLASS).text)
    question = browser.post("/login/passkey/question", {"csrf_token": token}, headers={"Accept": "application/json"})
    answer = _post(browser, "/login/passkey", {"credential": device.get(question.get_json(force=True)), "next": "/"})
    assert answer.status_code == 403
    assert browser.cookie(SESSION.name) is None


def test_who_came_in_otherwise_is_out_at_once_and_the_rest_stay(provider, sign_on, paula, otto, log_in, rows_of):
    by_password, remembered = log_in(otto), log_in(otto, remember=True)
    by_sso, _answer = sign_on(email=otto.email)
    for browser in (by_password, remembered, by_sso):
        assert browser.get("/contacts").status_code == 200
    admin, _answer = sign_on(email=paula.email)
    said = admin.post(f"{POLICY}/preview", ONLY).text
    assert "1 remembered device" in said
    assert by_password.get("/contacts").status_code == 200
    admin.post(POLICY, ONLY)
    assert by_password.get("/contacts").location.startswith("/login")
    assert remembered.get("/contacts").location.startswith("/login")
    assert remembered.cookie(REMEMBER.name) is None
    assert by_sso.get("/contacts").status_code == 200
    assert admin.get("/contacts").status_code == 200
    # Ended permanently, and not only refused: allowing passwords again restores none of them.
    ended = rows_of(paula.tenant, "select method, revoked_reason from user_sessions where revoked_at is not null")
    assert {(row["method"], row["revoked_reason"]) for row in ended} >= {("password", "single_sign_on_only")}
    assert {row["method"] for row in ended} == {"password"}
    why = rows_of(paula.tenant, "select distinct revoked_reason from remember_series")
    assert [row["revoked_reason"] for row in why] == ["policy"]


def test_it_holds_while_redis_is_away(provider, sign_on, paula, otto, log_in, without_redis):
    by_password = log_in(otto)
    admin, _answer = sign_on(email=paula.email)
    admin.post(POLICY, ONLY)
    with without_redis():
        assert by_password.get("/contacts").location.startswith("/login")


def test_a_session_that_was_opened_past_the_switch_is_refused_too(only, otto, rows_of, log_in, app):
    """As by a request that had read the policy before."""
    rows_of(otto.tenant, "update sign_in_policy set sso_only = false")
    browser = log_in(otto, remember=True)
    rows_of(otto.tenant, "update sign_in_policy set sso_only = true")
    assert browser.get("/contacts").location.startswith("/login")
    browser.close()
    assert browser.get("/contacts").location.startswith("/login")
    methods = rows_of(otto.tenant, "select method from user_sessions where person_id = :id", id=otto.id)
    assert {row["method"] for row in methods} == {"password"}


def test_a_login_that_was_half_done_is_not_finished(provider, sign_on, paula, otto, log_in, app, clock):
    secret, _codes = set_up_app(log_in(otto))
    clock.move(minutes=1)
    half = Browser(app, otto.tenant.host)
    assert half.log_in(otto.email, otto.password).location == "/login/second-step"
    admin, _answer = sign_on(email=paula.email)
    admin.post(POLICY, ONLY)
    token = csrf_token_in(half.get("/login/second-step").text)
    answer = half.post("/login/second-step", {"code": code_of(secret), "csrf_token": token})
    assert answer.status_code == 403
    assert half.cookie(SESSION.name) is None


def _link(app, person, purpose):
    from qikbiz.identity.accounts.models import User
    from qikbiz.identity.accounts.realms import tenant_realm
    from qikbiz.identity.accounts.tokens import make_link
    from qikbiz.kernel.database import tenant_transaction

    with app.app_context(), tenant_transaction(person.tenant) as work:
        url = make_link(work, tenant_realm(), work.get(User, person.id), purpose, lifetimes.RESET)
    return "/" + url.split("/", 3)[3]


def test_links_for_passwords_lead_to_single_sign_on(only, otto, app, rows_of):
    browser = Browser(app, otto.tenant.host)
    path = _link(app, otto, "password")
    for page in ("/forgot", path):
        text = browser.get(page).text
        assert "Sign in with Initech ID" in text
        assert 'type="password"' not in text
    assert _post(browser, path, {"password": "quite another staple of horses"}).status_code == 403
    assert _post(browser, "/forgot", {"email": otto.email}).status_code == 403
    assert not rows_of(otto.tenant, "select id from mails where template = 'password_link'")
    assert browser.cookie(SESSION.name) is None


def test_invitations_lead_to_single_sign_on_and_are_accepted_by_it(only, sign_on, otto, app, rows_of):
    from qikbiz.identity.members.actions import invite_user
    from qikbiz.kernel.database import tenant_transaction

    with app.app_context(), tenant_transaction(otto.tenant):
        url = invite_user("kim@example.com", "Kim", ["member"])
    browser, path = Browser(app, otto.tenant.host), "/invitation/" + url.rsplit("/", 1)[1]
    page = browser.get(path).text
    assert "kim@example.com" in page
    assert "Sign in with Initech ID" in page
    assert _post(browser, path, {"name": "Kim", "password": "words of a quiet sunday"}).status_code == 403
    state = "select state from users where email_key = 'kim@example.com'"
    assert rows_of(otto.tenant, state)[0]["state"] == "invited"
    assert sign_on(email="kim@example.com")[1].location == "/"


def _confirm(browser, provider, **claims):
    sent = browser.get("/confirm/sso?next=/settings/sign-in-policy")
    assert "prompt=login" in sent.location
    assert "max_age=0" in sent.location
    return come_back(browser, provider.sends_back(sent.location, **claims))


def test_confirming_goes_through_the_provider(only, provider, paula, clock):
    browser, _code = only
    clock.move(minutes=16)
    assert browser.post(POLICY, ONLY).location.startswith("/confirm")
    page = browser.get("/confirm?next=/settings/sign-in-policy").text
    assert 'type="password"' not in page
    assert "Confirm with Initech ID" in page
    now = int(clock.now().timestamp())
    provider_now = {"iat": now, "exp": now + 300}
    for claims, said in (
        ({"auth_time": None}, "auth_time"),
        ({"auth_time": now - 600}, "did not ask you to sign in again"),
        ({"auth_time": now + 600}, "did not ask you to sign in again"),
        ({"email": "otto@example.com", "sub": "somebody else", "auth_time": now}, "a different user"),
    ):
        answer = _confirm(browser, provider, **({"email": paula.email} | provider_now | claims))
        assert answer.status_code == 400
        assert said in answer.text
        assert browser.post(POLICY, ONLY).location.startswith("/confirm")
    answer = _confirm(browser, provider, email=paula.email, auth_time=now, **provider_now)
    assert answer.location == POLICY
    assert browser.post(POLICY, ONLY).location == POLICY


def test_confirming_by_password_or_passkey_is_refused(only, paula, clock):
    browser, _code = only
    clock.move(minutes=16)
    assert browser.post("/confirm", {"password": paula.password, "next": "/"}).status_code == 403
    assert browser.post("/confirm/passkey", {"credential": "{}", "next": "/"}).status_code == 403
    assert browser.post(POLICY, ONLY).location.startswith("/confirm")


def test_nor_by_choosing_another_password(only, paula, clock):
    browser, _code = only
    clock.move(minutes=16)
    form = {"old_password": paula.password, "password": "quite another staple of horses"}
    browser.post("/profile/password", form)
    assert browser.post(POLICY, ONLY).location.startswith("/confirm")


def test_only_who_came_by_it_can_make_it_the_only_way(provider, sign_on, paula, log_in, rows_of):
    browser = log_in(paula)
    for path in (POLICY, f"{POLICY}/preview"):
        answer = browser.post(path, ONLY)
        assert answer.status_code == 422
        assert "are not signed in with single sign-on" in answer.text
    assert rows_of(paula.tenant, "select id from sign_in_policy where sso_only") == []


def test_nor_by_the_provider_as_it_was_before(provider, sign_on, paula):
    browser, _answer = sign_on(email=paula.email)
    browser.post(PAGE, form_for(provider, client_secret="wrong by one letter"))
    assert browser.post(POLICY, ONLY).status_code == 422
    browser.post(f"{PAGE}/switch-off")
    answer = browser.post(POLICY, ONLY)
    assert answer.status_code == 422
    assert "turn it on first" in answer.text


def test_nor_while_no_administrator_has_a_password_for_the_bad_day(provider, sign_on, paula, rows_of):
    browser, _answer = sign_on(email=paula.email)
    rows_of(paula.tenant, "update users set password_hash = null")
    answer = browser.post(POLICY, ONLY)
    assert answer.status_code == 422
    assert "no administrator has one" in answer.text


def test_the_provider_stays_while_it_is_the_only_way(only, provider, rows_of, paula):
    browser, _code = only
    for act in ("/switch-off", "/removal"):
        answer = browser.post(PAGE + act)
        assert answer.status_code == 409
        assert "Sign-in policy" in answer.text
    from tests.fixtures.identity_provider import IdentityProvider

    other = IdentityProvider()
    assert browser.post(PAGE, form_for(other)).status_code == 409
    other.close()
    # A client secret that has run out can be replaced: it is the same provider.
    assert browser.post(PAGE, form_for(provider, label="Initech Login")).status_code == 303
    assert rows_of(paula.tenant, "select is_on from sso_provider") == [{"is_on": True}]
    assert browser.post(POLICY, AS_IT_IS | {"sign_in": "any"}).location == POLICY
    assert browser.post(f"{PAGE}/removal").status_code == 303


def test_switched_off_again_passwords_work(only, otto, log_in):
    browser, _code = only
    assert (
        "Users can sign in with passwords and passkeys again"
        in browser.post(f"{POLICY}/preview", AS_IT_IS | {"sign_in": "any"}).text
    )
    browser.post(POLICY, AS_IT_IS | {"sign_in": "any"})
    assert log_in(otto).get("/contacts").status_code == 200


def test_a_form_from_before_does_not_switch_it_off(only, otto, app):
    browser, _code = only
    assert browser.post(POLICY, AS_IT_IS | {"idle_minutes": "30"}).status_code == 303
    assert _post(Browser(app, otto.tenant.host), "/login", {"email": "a@b.c", "password": "x"}).status_code == 403


def test_one_makes_it_the_only_way_while_another_removes_the_provider(provider, sign_on, paula, add_person, rows_of):
    quin = add_person(paula.tenant, "Quin", "administrator")
    first, second = sign_on(email=paula.email)[0], sign_on(email=quin.email)[0]
    tokens = [browser.csrf_token() for browser in (first, second)]
    with ThreadPoolExecutor(2) as pool:
        on = pool.submit(first.post, POLICY, ONLY | {"csrf_token": tokens[0]})
        gone = pool.submit(second.post, f"{PAGE}/removal", {"csrf_token": tokens[1]})
        answers = (on.result().status_code, gone.result().status_code)
    is_only = bool(rows_of(paula.tenant, "select id from sign_in_policy where sso_only"))
    is_there = bool(rows_of(paula.tenant, "select id from sso_provider"))
    assert (answers, is_only, is_there) in (((200, 409), True, True), ((422, 303), False, False))


def test_a_provider_that_goes_between_the_look_and_the_lock(provider, sign_on, paula, rows_of, monkeypatch):
    from qikbiz.identity.sign_in_policy_pages import routes

    browser, _answer = sign_on(email=paula.email)
    monkeypatch.setattr(routes, "refuse_locking_everybody_out", lambda *_args: None)
    rows_of(paula.tenant, "update sso_provider set is_on = false")
    answer = browser.post(POLICY, ONLY)
    assert answer.status_code == 422
    assert "turn it on first" in answer.text
    assert rows_of(paula.tenant, "select id from sign_in_policy where sso_only") == []


def test_the_provider_is_down_and_the_glass_is_broken(only, provider, paula, app, clock, rows_of):
    _browser, code = only
    provider.close()
    browser = Browser(app, paula.tenant.host)
    answer = browser.get("/login/sso")
    assert answer.status_code == 503
    assert GLASS in answer.text
    page = browser.get("/login").text
    assert "did not answer a moment ago" in page
    form = {"email": paula.email, "password": paula.password, "code": code}
    assert browser.post(GLASS, form | {"csrf_token": csrf_token_in(browser.get(GLASS).text)}).location == "/"
    # Behind the glass a password confirms, for there is nothing else; and the policy can be changed.
    clock.move(minutes=16)
    assert browser.post(POLICY, AS_IT_IS | {"sign_in": "any"}).location.startswith("/confirm")
    assert browser.post("/confirm", {"password": paula.password, "next": "/"}).location == "/"
    assert browser.post(POLICY, AS_IT_IS | {"sign_in": "any"}).location == POLICY
    acts = rows_of(paula.tenant, "select action from audit_events where action like 'policy.%' order by id")
    assert "policy.break_glass_used" in [act["action"] for act in acts]


def test_the_glass_breaks_once_and_for_administrators(only, paula, otto, app):
    _browser, code = only
    for person, status in ((otto, 401), (paula, 303), (paula, 401)):
        browser = Browser(app, paula.tenant.host)
        form = {"email": person.email, "password": person.password, "code": code}
        assert _post(browser, GLASS, form).status_code == status


def test_a_new_code_can_be_made(only):
    browser, code = only
    page = browser.post(f"{POLICY}/break-glass-code").text
    made = re.search(r'data-copy="([a-z0-9-]{24})"', page)
    assert made
    assert made[1] != code


def test_the_other_organisation_goes_on_by_password(only, log_in, world):
    assert log_in(world.alice).get("/contacts").status_code == 200


def test_who_joined_without_a_password_confirms_by_the_provider(provider, sign_on, paula, app, clock, rows_of):
    browser, _answer = sign_on(email=paula.email)
    rows_of(paula.tenant, "update users set password_hash = null where id = :id", id=paula.id)
    clock.move(minutes=16)
    page = browser.get("/confirm?next=/settings/sign-in-policy").text
    assert "Confirm with Initech ID" in page
    assert 'type="password"' not in page


def test_begin_is_offered_with_the_way_back(only, app, otto):
    browser = Browser(app, otto.tenant.host)
    assert browser.get("/contacts").location == "/login?next=%2Fcontacts"
    assert "/login/sso?next=/contacts" in browser.get("/login?next=%2Fcontacts").text
    assert begin(browser, "/contacts").startswith("http")
