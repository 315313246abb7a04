"""Promises P3 and P16: shorter sessions and fewer remembered days apply at once to sessions that exist."""

from __future__ import annotations

import pytest

from qikbiz.web.cookies import REMEMBER

IN, OUT = 200, 303


@pytest.mark.promise("P16")
def test_a_shorter_idle_life_holds_for_sessions_in_force(set_policy, log_in, otto, clock):
    browser = log_in(otto)
    set_policy(idle_minutes="5")
    assert browser.get("/").status_code == IN
    clock.move(minutes=4)
    assert browser.get("/").status_code == IN
    clock.move(minutes=6)
    assert browser.get("/").status_code == OUT


@pytest.mark.promise("P16")
def test_a_session_that_is_older_than_the_new_life_ends_at_once(set_policy, log_in, otto, clock):
    browser = log_in(otto)
    paula = set_policy()
    for _ in range(3):
        clock.move(minutes=35)
        assert browser.get("/").status_code == IN
        assert paula.get("/").status_code == IN
    paula.post("/confirm", {"password": "correct horse battery staple"})
    set_policy(absolute_hours="1")
    assert browser.get("/").status_code == OUT


@pytest.mark.promise("P16")
def test_a_new_session_has_the_shorter_life(set_policy, log_in, otto, clock):
    set_policy(absolute_hours="2")
    browser = log_in(otto)
    for _ in range(3):
        clock.move(minutes=39)
        assert browser.get("/").status_code == IN
    clock.move(minutes=4)
    assert browser.get("/").status_code == OUT


@pytest.mark.promise("P16")
def test_it_holds_while_redis_is_away(set_policy, log_in, otto, clock, without_redis):
    browser = log_in(otto)
    set_policy(idle_minutes="5")
    with without_redis():
        assert browser.get("/").status_code == IN
        clock.move(minutes=6)
        assert browser.get("/").status_code == OUT


@pytest.mark.promise("P3")
def test_switching_remembering_off_ends_every_series_and_takes_the_box_away(
    set_policy, log_in, otto, browser_at, rows_of
):
    browser = log_in(otto, remember=True)
    set_policy(remember_days="0")
    # Permanently: allowing it again restores none of them.
    ended = rows_of(otto.tenant, "select revoked_reason from remember_series")
    assert [row["revoked_reason"] for row in ended] == ["policy"]
    assert browser.get("/").status_code == IN
    browser.close()
    assert browser.get("/").status_code == OUT
    assert browser.cookie(REMEMBER.name) is None
    page = browser_at(otto.tenant.host).get("/login").text
    assert "Stay signed in" not in page
    again = browser_at(otto.tenant.host)
    again.log_in(otto.email, otto.password, remember=True)
    assert again.cookie(REMEMBER.name) is None


@pytest.mark.promise("P3")
def test_shortening_it_holds_for_devices_remembered_before_and_after(set_policy, log_in, otto, clock, browser_at):
    before = log_in(otto, remember=True)
    set_policy(remember_days="3")
    after = log_in(otto, remember=True)
    assert "Ends after 3 days" in browser_at(otto.tenant.host).get("/login").text
    for browser in (before, after):
        browser.close()
    clock.move(days=2)
    assert before.get("/").status_code == IN
    clock.move(days=2)
    assert after.get("/").status_code == OUT
    before.close()
    assert before.get("/").status_code == IN
    clock.move(days=4)
    before.close()
    assert before.get("/").status_code == OUT


@pytest.mark.promise("P3")
def test_the_cookie_itself_lives_no_longer(set_policy, otto, browser_at):
    set_policy(remember_days="2")
    answer = browser_at(otto.tenant.host).log_in(otto.email, otto.password, remember=True)
    line = next(line for line in answer.headers.getlist("Set-Cookie") if line.startswith(REMEMBER.name))
    assert "Max-Age=172800" in line


@pytest.mark.promise("P3")
def test_a_newly_remembered_device_is_told_to_its_owner(log_in, otto, rows_of):
    log_in(otto)
    log_in(otto, remember=True)
    assert len(rows_of(otto.tenant, "select id from mails where template = 'new_device'")) >= 1
    log_in(otto, remember=True)
    told = rows_of(otto.tenant, "select to_address from mails where template = 'new_device'")
    assert {row["to_address"] for row in told} == {otto.email}
