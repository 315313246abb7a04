"""The host decides who is served; nothing falls back to a tenant."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from werkzeug.test import Client

from qikbiz.kernel.database import tenant_transaction
from qikbiz.messaging.mail.actions import opened_values
from qikbiz.messaging.mail.models import Mail
from tests.fixtures.web import Browser


def _ask(app, host, path="/login"):
    return Client(app, use_cookies=False).open(path, base_url="https://acme.localhost", headers={"Host": host})


@pytest.mark.parametrize(
    "host", ["acme.localhost", "ACME.localhost", "acme.localhost:8000", "acme.localhost.", "Acme.LocalHost.:443"]
)
def test_spellings_of_a_tenants_host_lead_to_it(app, world, host):
    answer = _ask(app, host)
    assert answer.status_code == 200
    assert "Acme Industrial" in answer.text


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "acme.localhost.evil.example",
        "acme",
        "a.acme.localhost",
        "acme-.localhost",
        "acme..localhost",
        "acme.localhost:abc",
        "acme.localhost, globex.localhost",
        "acme.localhost/x",
        "user@acme.localhost",
        "[::1]",
        "127.0.0.1",
        "äcme.localhost".encode("idna").decode(),
        "x" * 600,
        " ",
    ],
)
def test_any_other_host_is_nobodys(app, world, host):
    answer = _ask(app, host)
    assert answer.status_code == 404
    for name in ("Acme", "Globex"):
        assert name not in answer.text


def test_a_missing_host_is_nobodys(app):
    environ_overrides = {"HTTP_HOST": ""}
    answer = Client(app, use_cookies=False).open("/login", environ_overrides=environ_overrides)
    assert answer.status_code == 404


def test_the_consoles_pages_exist_on_the_console_only(app, client_for):
    for rule in app.url_map.iter_rules():
        if rule.subdomain == "console" and "GET" in rule.methods and not rule.arguments:
            shared = any(r.rule == rule.rule and r.subdomain == "tenant" for r in app.url_map.iter_rules())
            if not shared:
                assert client_for("alice").get(rule.rule, check=False).status_code == 404, rule.rule


def test_forwarded_hosts_are_not_believed(app, world):
    headers = {"Host": "acme.localhost", "X-Forwarded-Host": "globex.localhost", "Forwarded": "host=globex.localhost"}
    page = Client(app, use_cookies=False).open("/login", base_url="https://acme.localhost", headers=headers)
    assert "Acme Industrial" in page.text


@pytest.mark.parametrize("host", ["acme.localhost:6666", "acme.localhost:443"])
def test_a_link_in_a_mail_has_our_spelling_of_the_host(app, browser_at, world, host, do_jobs):
    """A port that was typed, or sent by an attacker who wants the link to lead to a port of theirs."""
    browser = browser_at("acme.localhost")
    headers = {"Host": host, "Origin": f"https://{host}", "X-Forwarded-Host": "evil.example"}
    assert browser.post("/forgot", {"email": world.bob.email}, headers=headers).status_code == 200
    do_jobs("passwords.link", world.acme.tenant)
    with app.app_context(), tenant_transaction(world.acme.tenant) as work:
        mail = work.scalars(select(Mail).where(Mail.template == "password_reset").order_by(Mail.id.desc())).first()
        assert opened_values(mail, world.acme.tenant.id)["url"].startswith("http://acme.localhost:8000/new-password/")


def test_odd_paths_do_no_harm(app, world, client_for):
    alice: Browser = client_for("alice")
    for path in ("//evil.example", "/%00", "/%ff", "/..%2f..%2fetc/passwd", "/" + "a" * 5000, "/login/", "/./login"):
        assert alice.get(path, check=False).status_code in (200, 302, 303, 308, 400, 404), path


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_www_before_a_tenant_leads_to_the_tenant(app, world, method):
    bare = Client(app, use_cookies=False)
    answer = bare.open(
        "/contacts/?q=ann&sort=-name",
        method=method,
        base_url="http://acme.localhost",
        headers={"Host": "www.acme.localhost"},
    )
    assert answer.status_code == 308
    assert answer.location == "http://acme.localhost:8000/contacts/?q=ann&sort=-name"


@pytest.mark.parametrize("host", ["www.nobody.localhost", "www.www.acme.localhost", "www.evil.example", "www."])
def test_www_before_anything_else_is_nobodys(app, world, host):
    assert _ask(app, host).status_code == 404
