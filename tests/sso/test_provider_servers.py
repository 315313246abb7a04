"""Promise P16: the provider's servers are not trusted. Any fault of theirs gives the user a plain page."""

from __future__ import annotations

import pytest

from qikbiz.identity.accounts.realms import tenant_realm
from qikbiz.identity.sso import provider_client
from qikbiz.identity.sso.failures import ProviderAway
from qikbiz.identity.sso.provider_outage import mark_away
from qikbiz.kernel.database import tenant_transaction
from qikbiz.kernel.http_client import LONGEST_ANSWER
from qikbiz.web.cookies import SESSION
from tests.fixtures.web import Browser
from tests.sso.conftest import PAGE, begin, come_back, form_for

DISCOVERY = "/.well-known/openid-configuration"


def _answers(status, body, **headers):
    def answer(handler):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        try:
            handler.wfile.write(body)
        except OSError:
            return

    return answer


def _drips(handler):
    """A byte now and then, for ever."""
    import time

    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b" ")
            handler.wfile.flush()
            time.sleep(0.02)
    except OSError:
        return


MISBEHAVIOUR = {
    "redirects": _answers(302, b"", Location="http://127.0.0.1:1/"),
    "not JSON": _answers(200, b"<html>"),
    "no object": _answers(200, b"[1]"),
    "deep": _answers(200, b"[" * 100_000),
    "huge": _answers(200, b"{" + b" " * (LONGEST_ANSWER + 10) + b"}"),
    "mistake": _answers(500, b"{}"),
    "not found": _answers(404, b"{}"),
    "no HTTP": lambda handler: handler.wfile.write(b"SMTP ready\r\n"),
    "nothing": lambda handler: handler.connection.close(),
    "drips": _drips,
}


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(provider_client, "SECONDS", 1.5)


@pytest.fixture
def is_asked_again(app, otto):
    """A function that resets the circuit breaker of the provider: else it is not asked for seconds."""

    def forget():
        with app.app_context(), tenant_transaction(otto.tenant):
            mark_away(tenant_realm(), is_away=False)

    return forget


@pytest.mark.parametrize("path", [DISCOVERY, "/token", "/keys"])
def test_whatever_it_does(provider, app, otto, path, is_asked_again, subtests):
    for how, misbehaviour in MISBEHAVIOUR.items():
        with subtests.test(how=how):
            provider.misbehaves.clear()
            is_asked_again()
            browser = Browser(app, otto.tenant.host)
            back = provider.sends_back(begin(browser), email=otto.email)
            provider.misbehaves[path] = misbehaviour
            asked = provider.asked.count(path)
            answer = come_back(browser, back)
            assert provider.asked.count(path) > asked
            assert answer.status_code in (400, 503)
            assert "reference" in answer.text
            assert browser.cookie(SESSION.name) is None
            # No user is redirected to a provider that does not answer.
            if path == DISCOVERY:
                assert browser.get("/login/sso").status_code == 503


def test_a_provider_that_is_down(provider, app, otto):
    provider.close()
    answer = Browser(app, otto.tenant.host).get("/login/sso")
    assert answer.status_code == 503
    assert "does not respond" in answer.text
    assert "Back to sign-in" in answer.text


def test_after_it_did_not_answer_nobody_waits_for_it_for_a_few_seconds(provider, app, otto):
    provider.misbehaves[DISCOVERY] = MISBEHAVIOUR["drips"]
    before = provider.asked.count(DISCOVERY)
    for _ in range(3):
        assert Browser(app, otto.tenant.host).get("/login/sso").status_code == 503
    assert provider.asked.count(DISCOVERY) == before + 1
    assert "did not answer a moment ago" in Browser(app, otto.tenant.host).get("/login").text


DOCUMENTS = [
    {"issuer": "https://login.evil.example"},
    {"issuer": None},
    {"token_endpoint": None},
    {"token_endpoint": 7},
    {"jwks_uri": "file:///etc/passwd"},
    {"token_endpoint": "http://login.example.com/token"},
    {"authorization_endpoint": "javascript:alert(1)"},
    {"authorization_endpoint": "https://a:b@login.example.com/"},
]


def test_a_document_that_speaks_for_somebody_else(provider, app, otto, is_asked_again, subtests):
    for document in DOCUMENTS:
        with subtests.test(document=document):
            is_asked_again()
            asked = provider.asked.count(DISCOVERY)
            provider.discovery = document
            assert Browser(app, otto.tenant.host).get("/login/sso").status_code == 503
            assert provider.asked.count(DISCOVERY) == asked + 1


@pytest.fixture
def public_only(app, monkeypatch):
    """The operator allows no private issuers, as in production."""
    from dataclasses import replace

    runtime = app.extensions["qikbiz"]
    monkeypatch.setattr(runtime, "settings", replace(runtime.settings, sso_private_issuers=False))


def test_a_private_address_is_not_asked_where_the_operator_does_not_allow_it(
    provider, app, otto, public_only, monkeypatch
):
    asked = list(provider.asked)
    assert Browser(app, otto.tenant.host).get("/login/sso").status_code == 503
    # Nor by a name that leads there.
    port = provider.server.server_address[1]
    with app.app_context(), pytest.raises(ProviderAway, match="private network"):
        provider_client.fetch(f"https://localhost:{port}{DISCOVERY}", provider_client.new_deadline())
    assert provider.asked == asked


def test_setting_up_a_provider_that_does_not_answer_names_the_reason(identity_provider, paula, log_in):
    browser = log_in(paula)
    wrong = form_for(identity_provider, issuer=identity_provider.issuer + "/")
    answer = browser.post(PAGE, wrong)
    assert answer.status_code == 422
    assert f"It states the issuer “{identity_provider.issuer}”" in answer.text
    identity_provider.close()
    assert browser.post(PAGE, form_for(identity_provider)).status_code == 422
