"""Promise P3: “Stay logged in on this device”, with rotation, a grace for parallel tabs, and theft found out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from qikbiz.web.cookies import REMEMBER, SESSION
from tests.accounts.test_sessions import change_tenant
from tests.fixtures.web import Browser

IN, OUT = 200, 303


@pytest.fixture
def jo(fresh_tenant, add_person):
    return add_person(fresh_tenant(), "Jo", "administrator")


def _on_next_day(browser: Browser) -> None:
    """The browser was closed: the session's cookie is gone, the remembered one is still there."""
    browser.close()


def _with(browser: Browser, remembered: str) -> Browser:
    other = Browser(browser.app, browser.host)
    other.set_cookie(REMEMBER.name, remembered)
    return other


@pytest.mark.promise("P3")
def test_a_remembered_device_is_logged_in_again(log_in, jo):
    browser = log_in(jo, remember=True)
    first = browser.cookie(REMEMBER.name)
    _on_next_day(browser)
    assert browser.get("/").status_code == IN
    assert browser.cookie(SESSION.name)
    assert browser.cookie(REMEMBER.name) != first


@pytest.mark.promise("P3")
def test_without_the_box_nothing_is_remembered(log_in, jo):
    browser = log_in(jo)
    _on_next_day(browser)
    assert browser.get("/").status_code == OUT


@pytest.mark.promise("P3")
def test_logging_out_forgets_the_device(log_in, jo):
    browser = log_in(jo, remember=True)
    kept = browser.cookie(REMEMBER.name)
    browser.post("/logout")
    assert browser.cookie(REMEMBER.name) is None
    assert _with(browser, kept).get("/").status_code == OUT


@pytest.mark.promise("P3")
def test_a_stolen_token_ends_everything_and_the_owner_is_told(log_in, jo, clock, rows_of):
    owner = log_in(jo, remember=True)
    elsewhere = log_in(jo)
    stolen = owner.cookie(REMEMBER.name)
    _on_next_day(owner)
    owner.get("/")
    owner.get("/profile")
    clock.move(seconds=61)
    thief = _with(owner, stolen)
    assert thief.get("/").status_code == OUT
    assert thief.cookie(REMEMBER.name) is None
    assert owner.get("/").status_code == OUT
    assert elsewhere.get("/").status_code == OUT
    assert len(rows_of(jo.tenant, "select id from mails where template = 'theft_detected'")) == 1
    ended = rows_of(jo.tenant, "select revoked_reason from remember_series")
    assert [row["revoked_reason"] for row in ended] == ["token_reuse"]


@pytest.mark.promise("P3")
def test_a_token_used_again_is_named_in_the_log_and_counted_against_its_address(app, log_in, jo, clock, caplog):
    owner = log_in(jo, remember=True)
    stolen = owner.cookie(REMEMBER.name)
    _on_next_day(owner)
    owner.get("/")
    owner.get("/profile")
    clock.move(seconds=61)
    thief = _with(owner, stolen)
    assert thief.get("/").status_code == OUT
    assert [one.levelname for one in caplog.records if one.message == "authn_token_reuse"] == ["WARNING"]
    query = text("select kind from abuse_events where host(address) = :address")
    with app.extensions["qikbiz"].control.connect() as connection:
        assert connection.execute(query, {"address": thief.address}).scalars().all() == ["remember_reuse"]


@pytest.mark.promise("P3")
def test_a_remembered_device_opens_nothing_elsewhere_and_nothing_of_a_closed_organisation(
    app, log_in, jo, platform, rows_of
):
    token = log_in(jo, remember=True).cookie(REMEMBER.name)
    query = "select token_hash, previous_hash from remember_series"
    before = rows_of(jo.tenant, query)
    for host in (platform.acme.host, platform.globex.host, "console.localhost"):
        stranger = Browser(app, host)
        stranger.set_cookie(REMEMBER.name, token)
        assert stranger.get("/").status_code == OUT
    thief = Browser(app, jo.tenant.host)
    thief.set_cookie(REMEMBER.name, token)
    change_tenant(app, jo.tenant.id, state="closed", state_reason="")
    assert thief.get("/").status_code == 410
    assert thief.cookie(SESSION.name) is None
    change_tenant(app, jo.tenant.id, state="active")
    assert rows_of(jo.tenant, query) == before
    assert thief.get("/").status_code == IN


@pytest.mark.promise("P3")
def test_twenty_tabs_with_the_same_token_all_get_in_with_one_rotation(log_in, jo, rows_of):
    browser = log_in(jo, remember=True)
    token = browser.cookie(REMEMBER.name)
    before = rows_of(jo.tenant, "select token_hash from remember_series")
    tabs = [_with(browser, token) for _ in range(20)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda tab: tab.get("/", check=False).status_code, tabs))
    assert answers == [IN] * 20
    rotated = [tab for tab in tabs if tab.cookie(REMEMBER.name) != token]
    assert len(rotated) == 1
    after = rows_of(jo.tenant, "select token_hash, previous_hash from remember_series")
    assert after[0]["previous_hash"] == before[0]["token_hash"]


@pytest.mark.promise("P3")
def test_a_lost_answer_does_not_log_out(log_in, jo, clock):
    browser = log_in(jo, remember=True)
    token = browser.cookie(REMEMBER.name)
    assert _with(browser, token).get("/").status_code == IN
    clock.move(seconds=30)
    assert _with(browser, token).get("/").status_code == IN
    # Even later, as long as nobody has ever shown the token that was lost.
    clock.move(hours=3)
    again = _with(browser, token)
    assert again.get("/").status_code == IN
    assert again.cookie(REMEMBER.name) != token


def test_a_restored_session_must_confirm_before_sensitive_acts(log_in, jo):
    browser = log_in(jo, remember=True)
    _on_next_day(browser)
    browser.get("/")
    invitation = {"name": "Kim", "email": "kim@example.com", "role": "reader"}
    asked = browser.post("/users/invitation", invitation)
    assert asked.status_code == 303
    assert asked.location.startswith("/confirm")
    browser.post("/confirm", {"password": jo.password})
    assert browser.post("/users/invitation", invitation).location == "/users"


@pytest.mark.promise("P3")
@pytest.mark.parametrize("days", [31, 91])
def test_remembering_ends(log_in, jo, clock, days):
    browser = log_in(jo, remember=True)
    if days > 90:
        for _ in range(4):
            clock.move(days=20)
            _on_next_day(browser)
            assert browser.get("/").status_code == IN
        clock.move(days=11)
    else:
        clock.move(days=days)
    _on_next_day(browser)
    assert browser.get("/").status_code == OUT


@pytest.mark.promise("P3")
def test_a_new_password_forgets_every_device(log_in, jo):
    browser, other = log_in(jo, remember=True), log_in(jo)
    other.post("/profile/password", {"old_password": jo.password, "password": "quite another staple of horses"})
    _on_next_day(browser)
    assert browser.get("/").status_code == OUT


@pytest.mark.promise("P3")
def test_ending_a_remembered_session_from_the_list_forgets_its_device(log_in, jo):
    browser, other = log_in(jo, remember=True), log_in(jo)
    key = other.get("/profile/sessions").text.split('action="/profile/sessions/')[2].split("/end")[0]
    other.post(f"/profile/sessions/{key}/end")
    assert browser.get("/").status_code == OUT
    _on_next_day(browser)
    assert browser.get("/").status_code == OUT


@pytest.mark.promise("P3")
def test_a_forged_series_is_ignored_and_its_cookie_cleared(app, jo, log_in):
    browser = log_in(jo, remember=True)
    forger = _with(browser, browser.cookie(REMEMBER.name)[:-4] + "AAAA")
    assert forger.get("/").status_code == OUT
    assert forger.cookie(REMEMBER.name) is None
    assert browser.get("/").status_code == IN


@pytest.mark.promise("P3")
def test_raising_the_tenants_epoch_ends_remembered_devices_too(app, log_in, jo):
    browser = log_in(jo, remember=True)
    change_tenant(app, jo.tenant.id, epoch=jo.tenant.epoch + 1)
    assert browser.get("/").status_code == OUT
    _on_next_day(browser)
    assert browser.get("/").status_code == OUT
    assert browser.log_in(jo.email, jo.password, remember=True).status_code == OUT
    _on_next_day(browser)
    assert browser.get("/").status_code == IN


@pytest.mark.promise("P3")
def test_a_disabled_users_device_is_not_remembered(log_in, jo, add_person):
    lea = add_person(jo.tenant, "Lea", "member")
    browser = log_in(lea, remember=True)
    log_in(jo).post(f"/users/{lea.id}/closure")
    _on_next_day(browser)
    assert browser.get("/").status_code == OUT


@pytest.mark.promise("P3")
def test_a_new_remembered_device_is_told_by_mail(log_in, jo, rows_of):
    log_in(jo, remember=True)
    assert len(rows_of(jo.tenant, "select id from mails where template = 'new_device'")) == 1
