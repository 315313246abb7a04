"""Signing in leads to the page that was asked for, and only if that is a page of this host."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qikbiz.kernel import clock
from qikbiz.web.safe_redirect import own_path

ELSEWHERE = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "http://evil.example/",
    "https:evil.example",
    "javascript:alert(1)",
    "/\r\nSet-Cookie: a=b",
    "/\tx",
    "/ok\x00",
    "/\u202eevil",
    "evil.example",
    "",
    "/login",
    "/logout",
    "/" + "x" * 3000,
]


@pytest.mark.parametrize("target", ELSEWHERE)
def test_elsewhere_means_the_start_page(browser_at, world, target):
    answer = browser_at("acme.localhost").log_in(world.ben.email, world.ben.password, target=target)
    assert answer.status_code == 303
    assert answer.location == "/"


def test_a_percent_encoded_line_break_sets_no_header(browser_at, world):
    browser = browser_at("acme.localhost")
    browser.get("/login?next=/%0d%0aSet-Cookie:%20planted=1")
    answer = browser.log_in(world.ben.email, world.ben.password, target="/%0d%0aSet-Cookie: planted=1")
    assert answer.status_code == 303
    assert not any("planted" in line for line in answer.headers.getlist("Set-Cookie"))


@pytest.mark.parametrize("target", ELSEWHERE)
def test_giving_the_password_again_leads_nowhere_else(client_for, world, target):
    bob = client_for("bob")
    assert "evil" not in bob.get("/confirm", query_string={"next": target}).text
    answer = bob.post("/confirm", {"password": world.bob.password, "next": target})
    assert (answer.status_code, answer.location) == (303, "/")


CAME_FROM = ["https://evil.example/users", "https://{host}@evil.example/", "https://evil.example#https://{host}/users",
             "https://{host}//evil.example", "https://{host}/\\evil.example", "javascript:alert(1)", "//evil.example",
             "https://{host}.evil.example/users", "https://[", ""]  # fmt: skip


@pytest.mark.parametrize("header", ["Referer", "HX-Current-URL"])
def test_the_page_one_came_from_is_gone_back_to_only_if_it_is_ours(
    log_in, add_person, fresh_tenant, monkeypatch, header
):
    dora, real = log_in(add_person(fresh_tenant(), "Dora", "member")), clock.now
    monkeypatch.setattr(clock, "now", lambda: real() + timedelta(minutes=16))
    for page in CAME_FROM:
        asked = dora.post("/profile/security/recovery-codes", headers={header: page.format(host=dora.host)})
        assert (asked.status_code, asked.location) == (303, "/confirm"), page


def test_the_page_one_wanted_is_the_one_one_gets(browser_at, world):
    browser = browser_at("acme.localhost")
    asked = browser.get("/profile?tab=1&x=%C3%A4")
    assert asked.status_code == 303
    page = browser.get(asked.location)
    assert 'value="/profile?tab=1&amp;x=' in page.text
    answer = browser.log_in(world.ben.email, world.ben.password, target="/profile?tab=1")
    assert answer.location == "/profile?tab=1"


def test_somebody_already_in_goes_straight_on(client_for):
    assert client_for("alice").get("/login?next=/profile").location == "/profile"
    assert client_for("alice").get("/login?next=//evil.example").location == "/"


@settings(max_examples=150)
@given(st.text(max_size=60))
def test_nothing_leads_off_this_host(text):
    path = own_path(text)
    assert path.startswith("/")
    assert not path.startswith("//")
    assert "\\" not in path
    assert path.isprintable()
