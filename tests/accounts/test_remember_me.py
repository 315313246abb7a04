"""Promise P3: “Stay signed in on this device”, with rotation, a grace for parallel tabs, and theft found out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, text

from qikbiz.kernel.database import tenant_transaction
from qikbiz.messaging.mail.actions import opened_values
from qikbiz.messaging.mail.models import Mail
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
    app, log_in, jo, world, rows_of
):
    token = log_in(jo, remember=True).cookie(REMEMBER.name)
    query = "select token_hash, previous_hash from remember_series"
    before = rows_of(jo.tenant, query)
    for host in (world.acme.tenant.host, world.globex.tenant.host, "console.localhost"):
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
    # Even later, as long as no browser has ever sent the token that was lost.
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


PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) AppleWebKit/605 Version/18.0 Safari/604"


def _mails(app, person, template):
    with app.app_context(), tenant_transaction(person.tenant) as session:
        wanted = select(Mail).where(Mail.template == template, Mail.to_address == person.email).order_by(Mail.id)
        return [opened_values(mail, person.tenant.id) for mail in session.scalars(wanted)]


@pytest.mark.promise("P3")
def test_a_remembered_login_from_a_device_never_seen_sends_a_mail(app, log_in, jo):
    browser = log_in(jo, remember=True)
    before = len(_mails(app, jo, "new_device"))
    copied = browser.cookie(REMEMBER.name)
    _on_next_day(browser)
    browser.get("/")
    assert len(_mails(app, jo, "new_device")) == before, "the device itself is no news"
    thief = _with(browser, browser.cookie(REMEMBER.name))
    assert copied
    thief.headers["User-Agent"], thief.address = PHONE, "198.51.100.77"
    assert thief.get("/").status_code == 200
    (told,) = _mails(app, jo, "new_device")[before:]
    assert (told["device"], told["place"], told["is_return"]) == ("Safari on iPhone", "198.51.100.0/24", True)


@pytest.mark.promise("P3")
def test_a_remembered_device_that_moves_about_is_news_only_far_away(app, log_in, jo):
    browser = log_in(jo, remember=True)
    before = len(_mails(app, jo, "new_device"))
    nearby, far = browser.address.rsplit(".", 2)[0] + ".250.9", "198.51.100.78"
    for address, mails in ((nearby, 0), (far, 1), (far, 1)):
        _on_next_day(browser)
        browser.address = address
        assert browser.get("/").status_code == 200
        assert len(_mails(app, jo, "new_device")) == before + mails


@pytest.mark.promise("P3")
def test_an_old_token_in_its_grace_is_good_in_the_same_browser_only(app, log_in, jo):
    browser = log_in(jo, remember=True)
    old = browser.cookie(REMEMBER.name)
    _on_next_day(browser)
    browser.get("/")
    tab = _with(browser, old)
    assert tab.get("/").status_code == 200, "another tab"
    thief = _with(browser, old)
    thief.headers["User-Agent"] = PHONE
    assert thief.get("/").status_code in (302, 303)
    assert browser.get("/").status_code in (302, 303), "two hold the series: everything ended"
    assert len(_mails(app, jo, "theft_detected")) == 1


@pytest.mark.promise("P3")
def test_whoever_was_logged_out_by_a_thief_reads_when_and_from_where(log_in, jo, clock):
    owner, elsewhere = log_in(jo, remember=True), log_in(jo)
    stolen = owner.cookie(REMEMBER.name)
    _on_next_day(owner)
    owner.get("/")
    owner.get("/profile")
    returning = _with(owner, owner.cookie(REMEMBER.name))
    clock.move(seconds=61)
    thief = _with(owner, stolen)
    thief.headers["User-Agent"], thief.address = PHONE, "198.51.100.80"
    assert thief.get("/").status_code == OUT
    # With its session, as another device, and back after its browser was closed: each is notified once.
    for browser in (owner, elsewhere, returning):
        page = browser.follow(browser.get("/"))
        assert "was used a second time, by " in page.text and "from 198.51.100.0/24" in page.text
        assert "Your session has ended" not in page.text
        assert "second time" not in browser.follow(browser.get("/")).text


@pytest.mark.promise("P3")
def test_the_owner_reads_what_happened_on_the_page_and_when_and_where_in_the_mail(app, log_in, jo, clock):
    owner = log_in(jo, remember=True)
    copied = owner.cookie(REMEMBER.name)
    thief = _with(owner, copied)
    thief.headers["User-Agent"], thief.address = PHONE, "198.51.100.79"
    thief.get("/")
    thief.get("/")
    clock.move(minutes=2)
    _on_next_day(owner)
    page = owner.follow(owner.get("/"))
    assert "was used a second time" in page.text and "signed you out everywhere" in page.text
    assert "from 198.51.100.0/24" in page.text, "The thief was quicker, and is named."
    (told,) = _mails(app, jo, "theft_detected")
    assert "from 198.51.100.0/24" in told["used_before"]
    assert told["used_now"].endswith(owner.address.rsplit(".", 1)[0] + ".0/24")
    assert told["remembered_as"].endswith(owner.address.rsplit(".", 1)[0] + ".0/24")
    assert "UTC" in told["when"] or "(" in told["when"]
