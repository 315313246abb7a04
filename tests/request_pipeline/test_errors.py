"""Errors look like part of the product, in a page, a part of a page, or JSON; also while servers are really away."""

from __future__ import annotations

import json

import pytest
from flask import Blueprint, redirect, request
from psycopg.errors import DeadlockDetected
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from provisioning.embedded.processes import wait_until
from qikbiz.kernel.access import access
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import Failure
from qikbiz.kernel.permissions import Permission
from qikbiz.web.error_texts import TEXTS
from qikbiz.web.flash import show_toast
from tests.accounts.test_sessions import _open_late

WANTED_KEYS = frozenset(
    [
        *(
            "bad_request",
            "csrf",
            "cookies_refused",
            "login_needed",
            "forbidden",
            "blocked",
            "not_found",
            "unknown_host",
        ),
        *("method_not_allowed", "timeout", "conflict", "gone", "too_large", "too_many", "bug", "unavailable"),
        *("tenant_suspended", "tenant_closed", "maintenance", "database_away", "redis_away"),
    ]
)
KINDS = ("NotFound", "Forbidden", "Conflict", "TooLarge", "TooMany", "Unavailable", "WeakPassword")


@pytest.fixture(scope="module")
def broken(app):
    """Pages that fail in every way."""
    pages = Blueprint("broken_for_test", __name__)

    @pages.get("/broken-for-test/<kind>")
    @access(Permission.SIGNED_IN)
    def fail(kind):
        if kind == "bug":
            raise RuntimeError("the secret of alice@acme.example.com")
        for failure in _all_failures(Failure):
            if failure.__name__ == kind:
                raise failure
        return "fine"

    @pages.get("/undeclared-for-test")
    def undeclared():
        return "never"

    @pages.post("/colliding-for-test")
    @access(Permission.SIGNED_IN)
    def collide():
        collisions.append(request.form["times"])
        show_toast("Once and no more")
        if len(collisions) <= int(request.form["times"]):
            raise OperationalError("update …", {}, DeadlockDetected())
        return redirect("/profile")

    @pages.get("/sleeping-for-test")
    @access(Permission.SIGNED_IN)
    def sleep_too_long():
        db.session.execute(text("SET LOCAL statement_timeout = 50"))
        db.session.execute(text("SELECT count(*) FROM generate_series(1, 100000000)"))
        return "never"

    @pages.post("/large-for-test")
    @access(Permission.PUBLIC)
    def large():
        return "fine"

    _open_late(app, pages)


collisions: list[str] = []


def test_a_request_that_collided_is_done_again_and_says_so_once(client_for, broken):
    collisions.clear()
    alice = client_for("alice")
    page = alice.follow(alice.post("/colliding-for-test", {"times": "2"}))
    assert len(collisions) == 3
    assert page.text.count("Once and no more") == 1


def test_one_that_always_collides_gets_a_page(client_for, broken):
    collisions.clear()
    page = client_for("alice").post("/colliding-for-test", {"times": "9"})
    assert page.status_code == 503
    assert len(collisions) == 3
    assert "took too long" in page.text


def test_a_statement_that_takes_too_long_is_stopped_and_said(client_for, broken):
    page = client_for("alice").get("/sleeping-for-test")
    assert page.status_code == 503
    assert "took too long" in page.text


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("alice", "/audit?action=a%00b"),
        ("alice", "/help/%00"),
        ("olivia", "/tenants?q=%00"),
        ("olivia", "/tenants?page=99999999999999999999999"),
        ("olivia", "/tenants/%00"),
        ("olivia", "/audit?tenant=%00"),
    ],
)
def test_what_no_column_can_hold_is_no_fault_of_ours(client_for, name, address):
    page = client_for(name).get(address)
    assert page.status_code == 400
    assert "This request could not be processed" in page.text


def _all_failures(parent):
    for child in parent.__subclasses__():
        yield child
        yield from _all_failures(child)


def test_every_failure_has_words_or_its_status_has(app):
    assert set(TEXTS) >= WANTED_KEYS
    for failure in _all_failures(Failure):
        assert 400 <= failure.status < 600, failure


def test_a_page_says_what_happened_and_gives_a_reference(client_for):
    page = client_for("alice").get("/no-such-page")
    assert page.status_code == 404
    assert page.headers["X-Request-Id"] in page.text
    assert "Page not found" in page.text


@pytest.mark.parametrize(
    "kind", ["NotFound", "Forbidden", "Conflict", "TooLarge", "TooMany", "Unavailable", "WeakPassword"]
)
def test_every_failure_is_a_page(client_for, broken, kind):
    page = client_for("alice").get(f"/broken-for-test/{kind}")
    assert page.status_code == next(f.status for f in _all_failures(Failure) if f.__name__ == kind)
    assert page.headers["X-Request-Id"] in page.text


def test_a_bug_tells_nothing_of_the_inside(client_for, broken):
    page = client_for("alice").get("/broken-for-test/bug")
    assert page.status_code == 500
    assert "RuntimeError" not in page.text
    assert "secret" not in page.text


def test_json_is_answered_with_a_problem(client_for, broken):
    answer = client_for("alice").get("/broken-for-test/Conflict", headers={"Accept": "application/json"})
    assert answer.content_type == "application/problem+json"
    problem = json.loads(answer.text)
    assert problem["status"] == 409
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    anonymous = client_for("alice")
    anonymous.close()
    assert anonymous.get("/", headers={"Accept": "application/json"}).status_code == 401


def test_a_part_of_a_page_gets_a_part(client_for, broken):
    answer = client_for("alice").get("/broken-for-test/Conflict", headers={"HX-Request": "true"})
    assert answer.status_code == 409
    assert "<html" not in answer.text
    assert 'role="alert"' in answer.text


def test_a_part_of_a_page_sends_the_whole_page_to_the_login(browser_at):
    browser = browser_at("acme.localhost")
    headers = {"HX-Request": "true", "HX-Current-URL": f"{browser.origin}/profile?tab=2"}
    answer = browser.get("/", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/login?next=%2Fprofile%3Ftab%3D2"
    elsewhere = browser.get("/", headers={"HX-Request": "true", "HX-Current-URL": "https://evil.example/x"})
    assert elsewhere.headers["HX-Redirect"] == "/login"


def test_a_route_without_a_declared_permission_is_not_served(client_for, broken):
    assert client_for("alice").get("/undeclared-for-test").status_code == 403


def test_a_wrong_method_says_which_are_right(client_for):
    answer = client_for("alice").get("/logout")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


def test_what_anyone_may_send_is_small(browser_at, broken):
    browser = browser_at("acme.localhost")
    assert browser.post("/large-for-test", {"x": "y" * 70_000}).status_code == 413


def test_head_and_options_tell_no_more_than_get(browser_at, client_for):
    stranger = browser_at("acme.localhost")
    assert stranger.open("/", method="HEAD", check=False).status_code == 303
    assert stranger.open("/", method="OPTIONS", check=False).status_code == 401
    alice = client_for("alice")
    head = alice.open("/", method="HEAD", check=False)
    assert head.status_code == 200
    assert not head.data
    assert alice.open("/", method="OPTIONS", check=False).status_code == 200


def test_while_postgres_is_away_the_page_says_so_and_nothing_hangs(log_in, world, servers, owner_connection):
    alice = log_in(world.alice)
    alice.get("/")
    owner_connection.execute("CHECKPOINT")
    servers.postgres.stop()
    try:
        page = alice.get("/")
        assert page.status_code == 503
        assert page.headers["Retry-After"] == "5"
        assert "Records unavailable" in page.text
        assert alice.get("/healthz").status_code == 200
        assert alice.get("/readyz").status_code == 503
        assert alice.get("/login").status_code in (302, 503)
        sent = alice.open("/users", headers={"Accept": "application/json"})
        assert sent.status_code == 503
    finally:
        servers.postgres.start()
    assert alice.get("/").status_code == 200
    assert alice.get("/readyz").status_code == 200


def test_while_both_are_away_the_error_page_asks_nobody(log_in, world, servers, owner_connection, without_redis):
    alice = log_in(world.alice)
    owner_connection.execute("CHECKPOINT")
    with without_redis():
        servers.postgres.stop()
        try:
            for headers in ({}, {"HX-Request": "true"}, {"Accept": "application/json"}):
                assert alice.get("/", headers=headers).status_code == 503
        finally:
            servers.postgres.start()
    assert alice.get("/").status_code == 200


def test_while_redis_is_away_pages_work_and_readiness_says_so(client_for, without_redis):
    alice = client_for("alice")
    with without_redis():
        assert alice.get("/").status_code == 200
        # A good answer is kept for half a second.
        assert wait_until(lambda: alice.get("/readyz").json["checks"]["redis"] is False, seconds=5)
        assert alice.get("/readyz").status_code == 200
