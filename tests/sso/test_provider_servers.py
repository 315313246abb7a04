"""Promise P16: the provider's servers are not trusted. Any fault of theirs gives the user a plain page."""

from __future__ import annotations

import ssl
from ipaddress import ip_address

import pytest

from qikbiz.identity.accounts.realms import tenant_realm
from qikbiz.identity.sso import http_client
from qikbiz.identity.sso.http_client import BadAddress, Deadline, check_address, may_be_asked
from qikbiz.identity.sso.provider_outage import note_away
from qikbiz.kernel.database import tenant_transaction
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
    "huge": _answers(200, b"{" + b" " * (http_client.LONGEST_ANSWER + 10) + b"}"),
    "mistake": _answers(500, b"{}"),
    "not found": _answers(404, b"{}"),
    "no HTTP": lambda handler: handler.wfile.write(b"SMTP ready\r\n"),
    "nothing": lambda handler: handler.connection.close(),
    "drips": _drips,
}


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(http_client, "SECONDS", 1.5)


@pytest.fixture
def is_asked_again(app, otto):
    """A function that resets the circuit breaker of the provider: else it is not asked for seconds."""

    def forget():
        with app.app_context(), tenant_transaction(otto.tenant):
            note_away(tenant_realm(), is_away=False)

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


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.7.7", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
     "::1", "::", "fe80::1", "fd00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1",
     "2002:7f00:1::", "2002:5db8:d822::", "64:ff9b::a9fe:a9fe", "64:ff9b:1::5db8:d822", "::127.0.0.1", "::10.0.0.1",
     "::ffff:0:10.0.0.1", "2001::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2001:2::1", "3fff::1", "5f00::1",
     "fec0::1", "100::1", "4000::1", "e000::1", "fc00::1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1"],
)  # fmt: skip
def test_only_public_addresses_are_asked(address):
    assert not may_be_asked(ip_address(address), allows_private=False)


def test_what_is_public_and_what_the_operator_allows():
    assert may_be_asked(ip_address("93.184.216.34"), allows_private=False)
    assert may_be_asked(ip_address("2606:2800:220:1::1"), allows_private=False)
    assert may_be_asked(ip_address("64:ff9b::5db8:d822"), allows_private=False)
    assert may_be_asked(ip_address("2a00:1450:4001:830::200e"), allows_private=False)
    assert may_be_asked(ip_address("10.1.2.3"), allows_private=True)
    assert may_be_asked(ip_address("fd00::1"), allows_private=True)
    assert may_be_asked(ip_address("::1"), allows_private=True)
    for never in ("fe80::1", "ff02::1", "::", "2001:db8::1", "fec0::1", "64:ff9b::a9fe:a9fe", "240.0.0.1"):
        assert not may_be_asked(ip_address(never), allows_private=True), never
    # Where clouds keep their keys: never.
    assert not may_be_asked(ip_address("169.254.169.254"), allows_private=True)
    assert not may_be_asked(ip_address("::ffff:169.254.169.254"), allows_private=True)


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
    with app.app_context(), pytest.raises(http_client.ProviderAway, match="private network"):
        http_client.fetch(f"https://localhost:{port}{DISCOVERY}", Deadline())
    assert provider.asked == asked


def test_a_certificate_of_nobody_known_is_refused(app, tmp_path):
    import socket
    import threading

    import trustme

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    served = context.wrap_socket(listener, server_side=True)

    def serve():
        try:
            served.accept()
        except OSError:
            return

    threading.Thread(target=serve, daemon=True).start()
    with app.app_context(), pytest.raises(http_client.ProviderAway, match="certificate"):
        http_client.fetch(f"https://localhost:{port}/", Deadline(5))
    served.close()


@pytest.mark.parametrize(
    "url",
    ["", "x", "ftp://a.example/", "http://a.example/", "https://", "https://a:b@c.example/", "https://a.example/#x",
     "https://a.example:99999/", "https://a.example/ b", "https://a.example/\n", "https://[::1", "file:///etc/passwd",
     "//a.example", "https://a.example/" + "x" * 3_000, "https://münchen.example/"],
)  # fmt: skip
def test_addresses_that_are_none(app, url):
    with app.app_context(), pytest.raises(BadAddress):
        check_address(url)


def test_setting_up_a_provider_that_does_not_answer_names_the_reason(identity_provider, paula, log_in):
    browser = log_in(paula)
    wrong = form_for(identity_provider, issuer=identity_provider.issuer + "/")
    answer = browser.post(PAGE, wrong)
    assert answer.status_code == 422
    assert f"It states the issuer “{identity_provider.issuer}”" in answer.text
    identity_provider.close()
    assert browser.post(PAGE, form_for(identity_provider)).status_code == 422
