"""Every response protects its page: what it may load, who may frame it, and that nothing private is kept."""

from __future__ import annotations

from dataclasses import replace

import pytest


def test_a_private_page_is_never_stored(client_for):
    headers = client_for("alice").get("/").headers
    assert headers["Cache-Control"] == "private, no-store"
    assert "Cookie" in headers["Vary"]


@pytest.mark.parametrize("path", ["/", "/login", "/no-such-page"])
def test_scripts_and_styles_come_from_us_only(client_for, browser_at, path):
    for browser in (client_for("alice"), browser_at("acme.localhost")):
        policy = browser.get(path, check=False).headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "script-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy


def test_over_tls_browsers_are_told_to_stay_there(client_for, app):
    assert "max-age=31536000" in client_for("alice").get("/").headers["Strict-Transport-Security"]
    plain = app.test_client().get("/login", base_url="http://acme.localhost")
    assert "Strict-Transport-Security" not in plain.headers


def test_in_development_no_browser_is_bound_to_tls_on_localhost(browser_at, app, monkeypatch):
    started = app.extensions["qikbiz"]
    monkeypatch.setattr(started, "settings", replace(started.settings, environment="development"))
    assert "Strict-Transport-Security" not in browser_at("acme.localhost").get("/login").headers


def test_nothing_names_the_server(client_for):
    headers = client_for("alice").get("/").headers
    assert "Server" not in headers
    assert "X-Powered-By" not in headers


def test_logging_out_clears_what_the_browser_kept(log_in, world):
    assert log_in(world.bob).post("/logout").headers["Clear-Site-Data"] == '"cache", "storage"'


def test_each_request_has_its_own_reference(client_for):
    alice = client_for("alice")
    assert alice.get("/").headers["X-Request-Id"] != alice.get("/").headers["X-Request-Id"]
    assert alice.get("/", headers={"X-Request-Id": "mine"}).headers["X-Request-Id"] != "mine"
