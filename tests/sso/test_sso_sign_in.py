"""Promise P16: users sign in through the organisation's own identity provider."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from qikbiz.web.cookies import SESSION, SSO
from tests.fixtures.mfa import set_up_app
from tests.fixtures.web import Browser
from tests.sso.conftest import AS_IT_IS, PAGE, begin, come_back, form_for


def test_the_login_page_offers_it_and_otto_comes_in(provider, sign_on, otto, browser_at, rows_of):
    assert "Sign in with Initech ID" in browser_at(otto.tenant.host).get("/login").text
    browser, answer = sign_on(email=otto.email.upper())
    assert answer.location == "/"
    assert browser.get("/").status_code == 200
    assert "Single sign-on" in browser.get("/profile/sessions").text
    known = rows_of(otto.tenant, "select subject, user_id from sso_identities")
    assert [(row["subject"], row["user_id"]) for row in known] == [(f"sub-of-{otto.email.upper()}", otto.id)]
    acts = rows_of(otto.tenant, "select action, details from audit_events where action = 'login.opened' order by id")
    assert acts[-1]["details"]["method"] == "sso"
    noted = rows_of(otto.tenant, "select detail from access_events where kind = 'login' and outcome = 'done'")
    assert "Single sign-on" in [row["detail"] for row in noted]


def test_he_goes_where_he_wanted_and_nowhere_else(provider, app, otto):
    for target, lands in (("/contacts", "/contacts"), ("//evil.example", "/"), ("https://evil.example/", "/")):
        browser = Browser(app, otto.tenant.host)
        answer = come_back(browser, provider.sends_back(begin(browser, target), email=otto.email))
        assert answer.location == lands


def test_from_then_on_the_subject_counts_and_not_the_address(sign_on, otto, paula):
    sign_on(email=otto.email, sub="o-1")
    browser, answer = sign_on(email="otto.new@example.com", sub="o-1")
    assert answer.location == "/"
    assert otto.email in browser.get("/profile").text
    # Paula's address at the subject of Otto is still Otto.
    browser, _answer = sign_on(email=paula.email, sub="o-1")
    assert otto.email in browser.get("/profile").text


def test_another_login_with_the_same_address_is_not_taken_until_it_is_disconnected(sign_on, otto, paula, log_in):
    sign_on(email=otto.email, sub="o-1")
    browser, answer = sign_on(email=otto.email, sub="o-2")
    assert answer.status_code == 403
    assert browser.cookie(SESSION.name) is None
    assert "disconnect" in answer.text
    admin = log_in(paula)
    assert admin.post(f"{PAGE}/disconnection", {"email": "nobody@example.com"}).status_code == 422
    assert admin.post(f"{PAGE}/disconnection", {"email": otto.email}).status_code == 303
    assert sign_on(email=otto.email, sub="o-2")[1].location == "/"


def test_who_is_invited_joins_without_a_password(sign_on, app, otto, rows_of):
    from qikbiz.identity.members.actions import invite_user
    from qikbiz.kernel.database import tenant_transaction

    with app.app_context(), tenant_transaction(otto.tenant):
        url = invite_user("kim@example.com", "Kim", ["member"])
    browser, answer = sign_on(email="kim@example.com")
    assert answer.location == "/"
    assert browser.get("/contacts").status_code == 200
    row = rows_of(otto.tenant, "select state, password_hash from users where email_key = 'kim@example.com'")[0]
    assert (row["state"], row["password_hash"]) == ("active", None)
    assert browser.get("/invitation/" + url.rsplit("/", 1)[1]).status_code == 410


def test_an_address_that_is_not_said_to_be_verified_opens_nothing(sign_on, otto, subtests):
    for verified in (False, None, "true", 1):
        with subtests.test(verified=verified):
            browser, answer = sign_on(email=otto.email, email_verified=verified)
            assert answer.status_code == 403
            assert "email_verified" in answer.text
            assert browser.cookie(SESSION.name) is None


@pytest.mark.parametrize(
    ("invited", "proved"),
    [("ann@strasse.example", "ann@straße.example"), ("ann@straße.example", "ann@strasse.example"),
     ("kim@example.com", "\u212aim@example.com"), ("sam@example.com", "\u017fam@example.com")],
)  # fmt: skip
def test_an_address_that_only_looks_up_as_another_opens_nothing(sign_on, app, otto, invited, proved):
    from qikbiz.identity.members.actions import invite_user
    from qikbiz.kernel.database import tenant_transaction

    with app.app_context(), tenant_transaction(otto.tenant):
        invite_user(invited, "Ann", ["member"])
    browser, answer = sign_on(email=proved, sub="other-1")
    assert answer.status_code == 403
    assert browser.cookie(SESSION.name) is None
    assert sign_on(email=invited, sub="right-1")[1].location == "/"


def test_nobody_is_created_and_the_page_says_whom_to_ask(sign_on, otto, rows_of):
    browser, answer = sign_on(email="stranger@example.com")
    assert answer.status_code == 403
    assert "stranger@example.com" in answer.text
    assert "administrator" in answer.text
    assert otto.email not in answer.text
    assert browser.cookie(SESSION.name) is None
    assert not rows_of(otto.tenant, "select id from users where email_key = 'stranger@example.com'")
    failed = rows_of(otto.tenant, "select action from audit_events where action = 'login.failed'")
    assert len(failed) == 1
    assert rows_of(otto.tenant, "select id from access_events where kind = 'login' and outcome = 'failed'")


def test_a_disabled_person_is_nobody_known_or_not(sign_on, otto, paula, log_in):
    sign_on(email=otto.email)
    assert log_in(paula).post(f"/users/{otto.id}/closure").status_code == 303
    browser, answer = sign_on(email=otto.email)
    assert answer.status_code == 403
    assert browser.cookie(SESSION.name) is None
    stranger = sign_on(email="stranger@example.com")[1]
    assert answer.text.replace(otto.email, "X").count("X") == stranger.text.replace("stranger@example.com", "X").count(
        "X"
    )


def test_the_list_of_networks_holds(sign_on, otto, paula, log_in, app, provider, rows_of):
    admin = log_in(paula)
    admin.post("/settings/sign-in-policy", AS_IT_IS | {"networks": admin.address})
    browser = Browser(app, otto.tenant.host)
    answer = come_back(browser, provider.sends_back(begin(browser), email=otto.email))
    assert answer.status_code == 403
    assert browser.cookie(SESSION.name) is None
    assert not rows_of(otto.tenant, "select subject from sso_identities")


def test_ones_own_second_factor_is_asked_unless_the_provider_has_seen_one(sign_on, otto, log_in):
    set_up_app(log_in(otto))
    assert sign_on(email=otto.email)[1].location == "/login/second-step"
    assert sign_on(email=otto.email, amr=["pwd"])[1].location == "/login/second-step"
    browser, answer = sign_on(email=otto.email, amr=["pwd", "mfa"])
    assert answer.location == "/"
    assert "second factor there" in browser.get("/profile/sessions").text


def test_where_the_policy_asks_for_one_it_is_set_up_unless_the_provider_has_seen_one(sign_on, otto, paula, log_in):
    log_in(paula).post("/settings/sign-in-policy", AS_IT_IS | {"factor_for": "everyone"})
    assert sign_on(email=otto.email)[1].location == "/login/set-up"
    assert sign_on(email=otto.email, amr=["mfa"])[1].location == "/"


def test_a_login_that_the_provider_remembers_from_the_morning_is_not_fresh(sign_on, paula, provider):
    browser, _answer = sign_on(email=paula.email, auth_time=1_700_000_000)
    assert browser.post(PAGE, form_for(provider)).location.startswith("/confirm")
    fresh, _answer = sign_on(email=paula.email)
    assert fresh.post(PAGE, form_for(provider)).location == PAGE


def test_an_answer_counts_once(provider, app, otto):
    browser = Browser(app, otto.tenant.host)
    back = provider.sends_back(begin(browser), email=otto.email)
    held = browser.cookie(SSO.name)
    assert come_back(browser, back).location == "/"
    # Loaded again by the user who is signed in, it leads on; by a thief with the cookie, nowhere.
    assert come_back(browser, back).location == "/"
    thief = Browser(app, otto.tenant.host)
    thief.set_cookie(SSO.name, held)
    answer = come_back(thief, back)
    assert answer.status_code == 400
    assert "was used before" in answer.text
    assert thief.cookie(SESSION.name) is None


def test_two_that_come_at_once_are_one(provider, app, otto):
    first = Browser(app, otto.tenant.host)
    back = provider.sends_back(begin(first), email=otto.email)
    twins = [Browser(app, otto.tenant.host) for _ in range(4)]
    for twin in twins:
        twin.set_cookie(SSO.name, first.cookie(SSO.name))
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda twin: come_back(twin, back).status_code, twins))
    assert sorted(answers) == [303 if 303 in answers else 302, 400, 400, 400]


@pytest.mark.parametrize("spoiled", ["state", "cookie", "both tabs", "other browser"])
def test_an_answer_that_this_browser_does_not_wait_for_opens_nothing(provider, app, otto, spoiled):
    browser = Browser(app, otto.tenant.host)
    back = provider.sends_back(begin(browser), email=otto.email)
    if spoiled == "state":
        back = back.replace("state=", "state=x")
    elif spoiled == "cookie":
        browser.forget_cookie(SSO.name)
    elif spoiled == "both tabs":
        begin(browser)
    else:
        browser = Browser(app, otto.tenant.host)
        begin(browser)
    answer = come_back(browser, back)
    assert answer.status_code == 400
    assert browser.cookie(SESSION.name) is None
    assert "/token" not in provider.asked


def test_it_must_come_within_ten_minutes(provider, app, otto, clock):
    browser = Browser(app, otto.tenant.host)
    back = provider.sends_back(begin(browser), email=otto.email)
    clock.move(minutes=11)
    assert come_back(browser, back).status_code == 400


def test_another_organisations_answer_opens_nothing(provider, app, otto, world):
    browser = Browser(app, otto.tenant.host)
    back = provider.sends_back(begin(browser), email=world.alice.email)
    acme = Browser(app, world.acme.tenant.host)
    acme.set_cookie(SSO.name, browser.cookie(SSO.name))
    answer = come_back(acme, back)
    assert answer.status_code == 400
    assert acme.cookie(SESSION.name) is None
    assert "Sign in with" not in acme.get("/login").text.replace("Sign in with a passkey", "")


def test_what_changed_meanwhile_ends_it(provider, app, otto, paula, log_in):
    browser, admin = Browser(app, otto.tenant.host), log_in(paula)
    back = provider.sends_back(begin(browser), email=otto.email)
    admin.post(PAGE, form_for(provider, client_secret="another secret"))
    assert come_back(browser, back).status_code == 400
    admin.post(PAGE, form_for(provider))
    back = provider.sends_back(begin(browser), email=otto.email)
    admin.post(f"{PAGE}/switch-off")
    assert come_back(browser, back).status_code == 400
    assert browser.get("/login/sso").location.startswith("/login")
    assert "Initech ID" not in browser.get("/login").text


def test_turning_back_at_the_provider_is_no_mistake_of_ours(provider, app, otto):
    browser = Browser(app, otto.tenant.host)
    back = provider.sends_back(begin(browser)).replace("code=", "error=access_denied&nocode=")
    answer = come_back(browser, back)
    assert answer.status_code == 400
    assert "you cancelled" in answer.text


def test_who_is_logged_in_goes_on_without_a_round(provider, log_in, otto):
    assert log_in(otto).get("/login/sso?next=/contacts").location == "/contacts"
