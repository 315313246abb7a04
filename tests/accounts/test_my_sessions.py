"""Promise P2: users see their own sessions, administrators those of all; end one, end all."""

from __future__ import annotations

import re

import pytest

from qikbiz.web.cookies import SESSION
from tests.fixtures.devices import Device
from tests.fixtures.mfa import add_passkey, set_up_app
from tests.fixtures.web import Browser

MINE = "/profile/sessions"


@pytest.fixture
def ada(fresh_tenant, add_person):
    return add_person(fresh_tenant(), "Ada", "administrator")


@pytest.fixture
def tim(ada, add_person):
    return add_person(ada.tenant, "Tim", "member")


def _ends(page: str) -> list[str]:
    return re.findall(r'action="([^"]+/end)"', page)


@pytest.mark.promise("P2")
def test_each_login_has_an_identifier_of_its_own_tied_to_the_account(log_in, tim, rows_of):
    browsers = [log_in(tim) for _ in range(3)]
    assert len({browser.cookie(SESSION.name) for browser in browsers}) == 3
    rows = rows_of(tim.tenant, "select id_hash, person_id from user_sessions where person_id = :id", id=tim.id)
    assert len({bytes(row["id_hash"]) for row in rows}) == 3


@pytest.mark.promise("P2")
def test_the_list_says_device_network_how_and_which_is_this_one(log_in, tim):
    browser = log_in(tim)
    other = Browser(browser.app, browser.host)
    other.headers = {"User-Agent": "Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36"}
    other.log_in(tim.email, tim.password, remember=True)
    page = browser.get(MINE).text
    assert "Chrome on Windows" in page
    assert "(remembered)" in page
    assert page.count("(this device)") == 1
    assert "Password" in page
    assert other.address.rsplit(".", 1)[0] + ".0/24" in page


def test_a_remembered_device_that_is_not_in_use_stands_there_too_and_can_be_forgotten(log_in, tim, clock, rows_of):
    device = log_in(tim, remember=True)
    device.close()
    clock.move(hours=13)
    browser = log_in(tim)
    page = browser.get(MINE).text
    assert "(remembered, not in use)" in page
    assert "Sign out everywhere else" in page
    assert browser.post(_ends(page)[0]).status_code == 303
    assert "(remembered, not in use)" not in browser.get(MINE).text
    assert device.get("/").status_code == 303
    acts = rows_of(tim.tenant, "select action from audit_events where action = 'session.ended'")
    assert len(acts) == 1


@pytest.mark.promise("P2")
def test_ending_all_others_is_written_down_and_forgets_devices(log_in, tim, rows_of):
    browser, other = log_in(tim), log_in(tim, remember=True)
    assert browser.post(f"{MINE}/end-others").status_code == 303
    assert other.get("/").status_code == 303
    other.close()
    assert other.get("/").status_code == 303
    acts = rows_of(tim.tenant, "select details from audit_events where action = 'session.others_ended'")
    assert [act["details"] for act in acts] == [{"sessions": 1}]


@pytest.mark.promise("P2")
def test_an_administrator_sees_and_ends_one_of_a_users(log_in, ada, tim, rows_of):
    his, hers = log_in(tim), log_in(ada)
    page = hers.get(f"/users/{tim.id}/sessions").text
    assert his.address.rsplit(".", 1)[0] + ".0/24" in page
    assert hers.post(_ends(page)[0]).status_code == 303
    assert his.get("/").status_code == 303
    told = rows_of(tim.tenant, "select to_address from mails where template = 'sign_in_changed'")
    assert [row["to_address"] for row in told] == [tim.email]
    acts = rows_of(tim.tenant, "select actor_name, subject from audit_events where action = 'session.ended'")
    assert [(act["actor_name"], act["subject"]) for act in acts] == [("Ada", tim.email)]


@pytest.mark.promise("P2")
def test_an_administrator_ends_all_of_them(log_in, ada, tim, clock):
    first, second, hers = log_in(tim), log_in(tim, remember=True), log_in(ada)
    assert second.get("/").status_code == 200
    assert hers.post(f"/users/{tim.id}/sessions/end-all").status_code == 303
    second.close()
    assert first.get("/").status_code == 303
    clock.move(minutes=5)
    assert second.get("/").location == "/login"
    assert "Not signed in" in hers.get(f"/users/{tim.id}/sessions").text


@pytest.mark.promise("P2")
def test_members_readers_and_other_organisations_do_not(log_in, ada, tim, add_person, world):
    his = log_in(tim)
    key = _ends(log_in(ada).get(f"/users/{tim.id}/sessions").text)[0]
    for browser, status in ((his, 403), (log_in(add_person(ada.tenant, "Ria", "reader")), 403)):
        assert browser.get(f"/users/{ada.id}/sessions").status_code == status
        assert browser.post(f"/users/{ada.id}/sessions/end-all").status_code == status
        assert browser.post(f"/users/{ada.id}/factors/reset").status_code == status
    mallory = log_in(world.mallory)
    assert mallory.get(f"/users/{tim.id}/sessions").status_code == 404
    assert mallory.post(key).status_code == 404
    assert mallory.post(f"/users/{tim.id}/factors/reset").status_code == 404
    assert his.get("/").status_code == 200


@pytest.mark.promise("P2")
def test_a_session_of_somebody_else_is_not_ended_by_the_wrong_name(log_in, ada, tim):
    log_in(tim)
    hers = log_in(ada)
    key = _ends(hers.get(f"/users/{tim.id}/sessions").text)[0].split("/")[-2]
    assert hers.post(f"/users/{ada.id}/sessions/{key}/end").status_code == 404
    assert hers.post(f"{MINE}/{key}/end").status_code == 404
    assert hers.post(f"/users/{tim.id}/sessions/rubbish/end").status_code == 404


@pytest.mark.promise("P2")
def test_ending_needs_a_fresh_login(log_in, ada, tim, clock):
    hers = log_in(ada)
    clock.move(minutes=16)
    for path in (f"/users/{tim.id}/sessions/end-all", f"/users/{tim.id}/factors/reset"):
        assert hers.post(path).location.startswith("/confirm")


@pytest.mark.promise("P10")
def test_an_administrator_takes_a_lost_factor_off_and_both_are_told(log_in, ada, tim, rows_of):
    his = log_in(tim)
    set_up_app(his)
    add_passkey(his, Device(his.app.extensions["qikbiz"].settings.origin(his.host)))
    hers = log_in(ada)
    assert "1 passkey, an authenticator app, 10 recovery codes left" in hers.get(f"/users/{tim.id}/sessions").text
    rows_of(tim.tenant, "delete from mails")
    assert hers.post(f"/users/{tim.id}/factors/reset").status_code == 303
    assert his.get("/").status_code == 303
    told = rows_of(tim.tenant, "select to_address from mails where template = 'sign_in_changed'")
    assert {row["to_address"] for row in told} == {tim.email, ada.email}
    acts = rows_of(tim.tenant, "select actor_name, details from audit_events where action = 'factor.reset'")
    assert [(act["actor_name"], act["details"]) for act in acts] == [("Ada", {"factors": 12})]
    assert Browser(his.app, his.host).log_in(tim.email, tim.password).location == "/"
    assert "Not set up" in hers.get(f"/users/{tim.id}/sessions").text


@pytest.mark.promise("P10")
def test_nobody_takes_the_own_factor_off_by_that_way(log_in, ada):
    hers = log_in(ada)
    set_up_app(hers)
    assert hers.post(f"/users/{ada.id}/factors/reset").status_code == 409
