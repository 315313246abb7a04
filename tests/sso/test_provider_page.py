"""Promise P16: the administrators' page of the identity provider. Its secret goes in and never comes out."""

from __future__ import annotations

import pytest

from tests.fixtures.identity_provider import CLIENT_SECRET
from tests.fixtures.web import Browser
from tests.sso.conftest import PAGE, begin, come_back, form_for

ACTS = ("", "/switch", "/switch-off", "/removal", "/disconnection")


def test_set_up_changed_tried_on_off_and_removed_are_in_the_audit(identity_provider, paula, log_in, rows_of):
    browser = log_in(paula)
    assert browser.post(PAGE, form_for(identity_provider)).status_code == 303
    browser.post(PAGE, form_for(identity_provider, label="Initech Login", client_secret=""))
    browser.post(PAGE, form_for(identity_provider, label="Initech Login", client_secret="newer secret"))
    sent = browser.get(f"{PAGE}/trial").location
    come_back(browser, identity_provider.sends_back(sent, email=paula.email))
    for act in ("/switch", "/switch", "/switch-off", "/removal", "/removal"):
        assert browser.post(PAGE + act).status_code == 303
    acts = rows_of(paula.tenant, "select action, details from audit_events where action like 'sso.%' order by id")
    assert [act["action"] for act in acts] == [
        "sso.provider_set",
        "sso.provider_changed",
        "sso.provider_changed",
        "sso.tried",
        "sso.switched_on",
        "sso.switched_off",
        "sso.removed",
    ]
    assert acts[1]["details"]["changes"] == {"label": ["Initech ID", "Initech Login"]}
    assert CLIENT_SECRET not in str(acts)
    assert "newer secret" not in str(acts)
    assert not rows_of(paula.tenant, "select id from sso_provider")


def test_the_secret_is_on_no_page_and_sealed_for_this_organisation_alone(provider, paula, log_in, rows_of, app, world):
    from config.keys import SealBroken
    from qikbiz.identity.sso.queries import PURPOSE

    page = log_in(paula).get(PAGE).text
    assert CLIENT_SECRET not in page
    assert provider.issuer in page
    sealed = rows_of(paula.tenant, "select sealed_secret from sso_provider")[0]["sealed_secret"]
    assert CLIENT_SECRET not in sealed
    keys = app.extensions["qikbiz"].settings.keys
    assert keys.open(PURPOSE, sealed, bound_to=paula.tenant.id.hex).plaintext.decode() == CLIENT_SECRET
    with pytest.raises(SealBroken):
        keys.open(PURPOSE, sealed, bound_to=world.acme.tenant.id.hex)


def test_a_row_copied_from_another_organisation_opens_nothing(
    provider, paula, fresh_tenant, add_person, log_in, rows_of, app
):
    row = rows_of(paula.tenant, "select * from sso_provider")[0]
    thief = add_person(fresh_tenant("Thieves"), "Theo", "administrator")
    rows_of(
        thief.tenant,
        "insert into sso_provider (id, issuer, client_id, sealed_secret, label, is_on)"
        " values (1, :issuer, :client_id, :sealed_secret, 'x', true)",
        **{name: row[name] for name in ("issuer", "client_id", "sealed_secret")},
    )
    browser = Browser(app, thief.tenant.host)
    answer = come_back(browser, provider.sends_back(begin(browser), email=thief.email))
    assert answer.status_code == 400
    assert "client secret" in answer.text


def test_only_administrators(provider, otto, log_in, browser_at, world):
    member, nobody = log_in(otto), browser_at(otto.tenant.host)
    for path in (PAGE, f"{PAGE}/trial"):
        assert member.get(path).status_code == 403
        assert nobody.get(path).location.startswith("/login")
    for act in ACTS:
        assert member.post(PAGE + act, form_for(provider)).status_code == 403
    assert provider.issuer not in log_in(world.alice).get(PAGE).text


def test_every_change_asks_for_the_password_again(provider, paula, log_in, clock):
    browser = log_in(paula)
    clock.move(minutes=16)
    for act in ACTS:
        assert browser.post(PAGE + act, {}).location.startswith("/confirm"), act
    assert browser.get(f"{PAGE}/trial").location.startswith("/confirm")


WRONG_VALUES = (
    [("issuer", ""), ("issuer", "nonsense"), ("issuer", "http://login.example.com"), ("issuer", "https://a.example/?x=1"),
     ("client_id", ""), ("client_id", "a\nb"), ("client_secret", ""), ("client_secret", "pässword"), ("label", ""),
     ("label", "x" * 41), ("label", "\x07")]
)  # fmt: skip


def test_what_can_not_be_right_is_said_beside_its_field(identity_provider, paula, log_in, rows_of, subtests):
    browser = log_in(paula)
    for field, value in WRONG_VALUES:
        with subtests.test(field=field, value=value):
            answer = browser.post(PAGE, form_for(identity_provider, **{field: value}))
            assert answer.status_code == 422
            assert f'id="{field}-error"' in answer.text
            assert not rows_of(paula.tenant, "select id from sso_provider")


def test_a_field_that_the_form_does_not_have_is_refused(identity_provider, paula, log_in):
    assert log_in(paula).post(PAGE, form_for(identity_provider, is_on="true")).status_code == 400


def test_trying_it_says_what_came_back_and_changes_nothing(provider, paula, otto, log_in, rows_of):
    browser = log_in(paula)

    def try_it(**claims):
        return come_back(browser, provider.sends_back(browser.get(f"{PAGE}/trial").location, **claims)).text

    assert f"This would sign in Otto ({otto.email})" in try_it(email=otto.email, amr=["mfa"])
    assert "No user has this email address" in try_it(email="stranger@example.com")
    assert "not confirm the email address" in try_it(email=otto.email, email_verified=None)
    assert "Single sign-on doesn&#39;t work yet" in try_it(email=otto.email, nonce="wrong")
    assert not rows_of(paula.tenant, "select subject from sso_identities")
    # Still Paula, and still the same session.
    assert paula.email in browser.get("/profile").text


def test_a_trial_is_the_one_administrators_own(provider, paula, otto, log_in):
    browser, other = log_in(paula), log_in(otto)
    back = provider.sends_back(browser.get(f"{PAGE}/trial").location, email=otto.email)
    from qikbiz.web.cookies import SSO

    other.set_cookie(SSO.name, browser.cookie(SSO.name))
    assert "What came back" not in other.follow(come_back(other, back)).text


def test_it_can_be_tried_before_it_is_switched_on(identity_provider, paula, log_in):
    browser = log_in(paula)
    browser.post(PAGE, form_for(identity_provider))
    back = identity_provider.sends_back(browser.get(f"{PAGE}/trial").location, email=paula.email)
    assert "Single sign-on works" in come_back(browser, back).text


def test_the_secret_is_sealed_anew_under_a_new_key(provider, paula, app, rows_of, monkeypatch):
    from dataclasses import replace

    from config.keys import Key, KeyRing
    from qikbiz.identity.accounts.realms import tenant_realm
    from qikbiz.identity.sso.queries import seal_anew
    from qikbiz.kernel.database import tenant_transaction

    runtime = app.extensions["qikbiz"]
    ring = runtime.settings.keys
    older = [replace(key, state="accept") if key.state == "active" else key for key in ring.keys]
    rolled = KeyRing((*older, Key(200, b"n" * 32, "active")))
    monkeypatch.setattr(runtime, "settings", replace(runtime.settings, keys=rolled))
    for expected in (1, 0):
        with app.app_context(), tenant_transaction(paula.tenant):
            assert seal_anew(tenant_realm()) == expected
    before = rows_of(paula.tenant, "select sealed_secret from sso_provider")[0]["sealed_secret"]
    assert rolled.open("sso-client-secret", before, bound_to=paula.tenant.id.hex).is_stale is False
