"""The profile pages: name, time zone, appearance, password, and the sessions."""

from __future__ import annotations

import pytest


@pytest.fixture
def yara(fresh_tenant, add_person):
    return add_person(fresh_tenant(), "Yara", "member")


def test_a_new_name_and_zone_show_on_the_next_page(log_in, yara):
    browser = log_in(yara)
    saved = browser.post("/profile", {"name": "Yara Voss", "time_zone": "Asia/Tokyo", "theme": "dark"})
    page = browser.follow(saved).text
    assert "Profile saved." in page
    assert "Yara Voss" in page
    assert 'data-theme="dark"' in page
    assert 'data-zone="Asia/Tokyo"' in page
    assert "Profile saved." not in browser.get("/profile").text


@pytest.mark.parametrize(("field", "value"), [("time_zone", "Mars/Olympus"), ("theme", "pink"), ("name", " ")])
def test_what_is_not_offered_is_not_taken(log_in, yara, field, value):
    form = {"name": "Yara", "time_zone": "UTC", "theme": "auto"} | {field: value}
    assert log_in(yara).post("/profile", form).status_code == 422


def test_changing_the_password_needs_the_old_one(log_in, yara):
    browser = log_in(yara)
    page = browser.post(
        "/profile/password", {"old_password": "not it at all, no", "password": "new words for a new year"}
    )
    assert page.status_code == 422
    assert "Incorrect password" in page.text


def test_a_changed_password_ends_the_other_sessions_and_is_told_by_mail(log_in, yara, rows_of, browser_at):
    browser, other = log_in(yara), log_in(yara)
    new = "new words for a new year"
    assert browser.post("/profile/password", {"old_password": yara.password, "password": new}).status_code == 303
    assert browser.get("/").status_code == 200
    assert other.get("/").status_code == 303
    assert browser_at(browser.host).log_in(yara.email, new).status_code == 303
    assert rows_of(yara.tenant, "select id from mails where template = 'password_changed'")


def test_the_list_of_devices_shows_networks_and_not_addresses(log_in, yara):
    browser = log_in(yara)
    browser.headers = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"}
    log_in(yara)
    page = browser.get("/profile/sessions").text
    assert browser.address.rsplit(".", 1)[0] + ".0/24" in page
    assert f">{browser.address}<" not in page
    assert "this device" in page


def test_a_session_of_somebody_else_can_not_be_ended(log_in, yara, client_for, world):
    alice = client_for("alice")
    key = log_in(world.alice).get("/profile/sessions").text.split('action="/profile/sessions/')[2].split("/end")[0]
    assert log_in(world.ben).post(f"/profile/sessions/{key}/end").status_code == 404
    assert log_in(yara).post(f"/profile/sessions/{key}/end").status_code == 404
    assert alice.get("/").status_code == 200


def test_the_first_page_greets_and_says_what_to_do_when_nothing_is_there(log_in, yara):
    page = log_in(yara).get("/").text
    assert "Yara" in page
    assert "No contacts yet" in page


def test_staff_have_no_profile_in_a_tenant_and_users_no_console(log_in, world, browser_at):
    assert browser_at("acme.localhost").log_in(world.olivia.email, world.olivia.password).status_code == 401
    assert browser_at("console.localhost").log_in(world.alice.email, world.alice.password).status_code == 401
    assert log_in(world.olivia).get("/profile", check=False).status_code in (200, 404)


def test_staff_sessions_end_like_everyones(log_in, world, clock):
    olivia = log_in(world.olivia)
    assert olivia.get("/confirm").status_code == 200
    clock.move(minutes=61)
    assert olivia.get("/confirm").status_code == 303
