"""A form is accepted only from a page of ours, made for the same session; what was typed is never lost by it."""

from __future__ import annotations

import pytest

from tests.fixtures.page_checks import csrf_token_in

PROFILE = {"name": "Alice", "time_zone": "Europe/Vienna", "theme": "auto"}


def test_a_form_without_its_token_is_refused_and_what_was_typed_is_kept(client_for):
    page = client_for("alice").post("/profile", {**PROFILE, "name": "Alice <Long> Name"}, csrf=False)
    assert page.status_code == 403
    assert "Send again" in page.text
    assert 'value="Alice &lt;Long&gt; Name"' in page.text


def test_sending_again_from_that_page_works(client_for):
    alice = client_for("alice")
    page = alice.post("/profile", PROFILE, csrf=False)
    assert alice.post("/profile", {**PROFILE, "csrf_token": csrf_token_in(page.text)}).status_code == 303


def test_the_token_of_another_session_is_refused(client_for, log_in, world):
    other = log_in(world.alice)
    page = client_for("alice").post("/profile", {**PROFILE, "csrf_token": other.csrf_token()})
    assert page.status_code == 403


def test_a_token_from_before_login_is_refused_after_it(browser_at, world):
    browser = browser_at("acme.localhost")
    token = browser.csrf_token()
    browser.log_in(world.alice.email, world.alice.password)
    assert browser.post("/profile", {**PROFILE, "csrf_token": token}).status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_form_of_another_site_is_refused_even_with_a_token(client_for, site):
    alice = client_for("alice")
    form = {**PROFILE, "csrf_token": alice.csrf_token()}
    page = alice.post("/profile", form, headers={"Sec-Fetch-Site": site})
    assert page.status_code == 403
    # It is not offered for sending again: a click on it would do what the other site wanted.
    assert "Send again" not in page.text
    page = alice.post("/profile", form, headers={"Origin": "https://globex.localhost", "Sec-Fetch-Site": "same-site"})
    assert page.status_code == 403


def test_the_origin_counts_where_the_browser_says_nothing_more(client_for):
    alice = client_for("alice")
    form = {**PROFILE, "csrf_token": alice.csrf_token()}
    for origin in ("https://evil.example", "null", "https://acme.localhost.evil.example", "https://[", "https://a]"):
        answer = alice.open("/profile", method="POST", data=form, headers={"Origin": origin})
        assert answer.status_code == 403
    assert alice.open("/profile", method="POST", data=form, headers={}).status_code == 303


@pytest.mark.parametrize("token", ["", "x", "é", "A" * 44, "=" * 44, "A" * 100_000])
def test_an_invented_token_is_refused(client_for, token):
    alice = client_for("alice")
    form = {**PROFILE, "csrf_token": token}
    answer = alice.open("/profile", method="POST", data=form, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 403


def test_every_page_masks_the_token_anew(client_for):
    alice = client_for("alice")
    assert len({csrf_token_in(alice.get("/profile").text) for _ in range(5)}) == 5


def test_the_token_may_come_in_a_header(client_for):
    alice = client_for("alice")
    headers = {"X-CSRF-Token": alice.csrf_token(), "Sec-Fetch-Site": "same-origin"}
    assert alice.open("/profile", method="POST", data=PROFILE, headers=headers).status_code == 303


def test_what_was_typed_is_kept_when_the_session_ended_meanwhile(browser_at, log_in, world):
    alice = log_in(world.alice)
    token = alice.csrf_token()
    alice.forget_cookie("__Host-Http-qb_s")
    page = alice.post("/profile", {**PROFILE, "name": "Typed for an hour", "csrf_token": token})
    assert page.status_code == 401
    assert 'value="Typed for an hour"' in page.text
    assert "Sign in again in a new tab" in page.text


def test_no_password_is_ever_given_back_in_a_page(browser_at, world):
    browser = browser_at("acme.localhost")
    browser.get("/login")
    form = {"email": world.alice.email, "password": "my secret password words", "csrf_token": "old"}
    page = browser.post("/login", form)
    assert page.status_code == 403
    assert "my secret password" not in page.text


def test_a_browser_that_refuses_cookies_is_told_so(browser_at, world):
    browser = browser_at("acme.localhost")
    token = browser.csrf_token()
    for cookie in browser.cookies():
        browser.forget_cookie(cookie)
    form = {"email": world.alice.email, "password": world.alice.password, "csrf_token": token}
    page = browser.post("/login", form)
    assert page.status_code == 403
    assert "ookies" in page.text
    assert "Send again" not in page.text


@pytest.mark.promise("P9")
def test_a_page_in_the_clear_is_not_the_page_over_tls(client_for):
    """An attacker in the network can make a page of http://acme…, and have it send a form to https://acme…."""
    alice = client_for("alice")
    form = {"name": "Alice", "time_zone": "UTC", "theme": "auto", "csrf_token": alice.csrf_token()}
    for origin, status in (
        ("http://acme.localhost", 403),
        ("HTTPS://Acme.localhost", 303),
        ("https://acme.localhost:444", 403),
        ("ws://acme.localhost", 403),
        ("acme.localhost", 403),
    ):
        answer = alice.open("/profile", method="POST", data=form, headers={"Origin": origin}, check=False)
        assert answer.status_code == status, origin
