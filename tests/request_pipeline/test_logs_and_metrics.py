"""Logs hold ids and no personal data; metrics are for operators and not served on a tenant's host."""

from __future__ import annotations

import io
import json
import logging

import pytest

from config.logging import JsonFormatter

CANARY = "canary-7f3a@example.com"


@pytest.fixture
def log():
    """Everything that is logged, as production writes it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter("tests"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def test_a_line_a_request_with_ids_route_and_time(log, client_for, world):
    client_for("alice").get("/profile?q=secret-query")
    line = [json.loads(text) for text in log.getvalue().splitlines() if '"request"' in text][-1]
    assert line["route"] == "/profile"
    assert line["status"] == 200
    assert line["user_id"] == str(world.alice.id)
    assert line["tenant"] == str(world.acme.tenant.id)
    assert line["milliseconds"] > 0
    assert line["request_id"]


def test_no_address_name_password_or_link_is_ever_logged(log, browser_at, log_in, world, app):
    browser = browser_at("acme.localhost")
    browser.log_in(CANARY, "canary password words here")
    browser.post("/forgot", {"email": CANARY})
    browser.get("/invitation/canary-secret-link")
    browser.get(f"/no-such-page?email={CANARY}")
    alice = log_in(world.alice, remember=True)
    alice.post("/users/invitation", {"name": "Canary Person", "email": CANARY, "role": "reader"})
    alice.get("/profile", headers={"User-Agent": f"agent {CANARY}", "Referer": f"https://x.example/{CANARY}"})
    alice.post("/logout")
    written = log.getvalue().lower()
    assert written
    for canary in ("canary", world.alice.email, world.alice.password, browser.address, alice.address):
        assert canary.lower() not in written
    for cookie in alice.cookies().values():
        assert cookie.lower() not in written


def test_every_line_is_one_json_object(log, client_for, browser_at):
    client_for("alice").get("/")
    browser_at("acme.localhost").open("/", headers={"X-Forwarded-For": "1.2.3.4\tinjected"}, method="GET")
    for line in log.getvalue().splitlines():
        assert isinstance(json.loads(line), dict)


def test_figures_are_not_there_on_a_tenants_host(client_for, browser_at):
    assert client_for("alice").get("/metrics").status_code == 404
    assert browser_at("console.localhost").get("/metrics").status_code == 404


def test_figures_are_for_neighbours_only(browser_at, client_for):
    client_for("alice").get("/profile")
    site = browser_at("localhost")
    assert site.get("/metrics", check=False).status_code == 404
    site.address = "127.0.0.1"
    assert site.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}, check=False).status_code == 404
    text = site.get("/metrics").text
    assert 'qikbiz_requests_total{method="GET",route="/profile",status="200",surface="tenant"}' in text
    assert 'qikbiz_logins_total{outcome="right",realm="user"}' in text
    assert "qikbiz_database_connections_in_use" in text
    assert "acme" not in text
    assert "alice" not in text
