"""Promise P10: passkeys, alone or after a password; for one host, one question and one use."""

from __future__ import annotations

import pytest

from qikbiz.web.cookies import CHALLENGE, SESSION
from tests.fixtures.devices import Device
from tests.fixtures.mfa import add_passkey, log_in_by_passkey
from tests.fixtures.web import Browser

ASK, LOGIN = "/login/passkey/question", "/login/passkey"


@pytest.fixture
def owner(log_in, nora, device_for):
    """Nora's browser, her device with a passkey, and the recovery codes."""
    browser = log_in(nora)
    device = device_for(browser)
    return browser, device, add_passkey(browser, device)


def _stranger(owner) -> Browser:
    return Browser(owner[0].app, owner[0].host)


def _refused(browser: Browser, answer: str) -> bool:
    sent = browser.post(LOGIN, {"credential": answer, "next": "/"})
    return sent.status_code == 303 and sent.location.startswith("/login") and browser.cookie(SESSION.name) is None


@pytest.mark.promise("P10")
def test_a_passkey_logs_in_without_a_password(owner, nora, rows_of):
    browser = _stranger(owner)
    assert log_in_by_passkey(browser, owner[1]).location == "/profile"
    assert nora.name in browser.get("/profile").text
    methods = rows_of(nora.tenant, "select method from user_sessions where revoked_at is null order by created_at")
    assert [row["method"] for row in methods] == ["password", "passkey"]


@pytest.mark.promise("P10")
def test_after_a_password_it_is_the_second_step(owner, nora):
    browser = _stranger(owner)
    assert browser.log_in(nora.email, nora.password).location == "/login/second-step"
    answer = owner[1].get(browser.question("/login/second-step/question"))
    assert browser.post("/login/second-step/passkey", {"credential": answer}).location == "/"
    assert browser.get("/").status_code == 200


@pytest.mark.promise("P10")
def test_it_confirms_in_place_of_the_password(owner, clock):
    browser, device, _ = owner
    clock.move(minutes=16)
    assert browser.get("/profile/security/passkeys/new").location.startswith("/confirm")
    answer = device.get(browser.question("/confirm/question"))
    sent = browser.post("/confirm/passkey", {"credential": answer, "next": "/profile/security"})
    assert sent.location == "/profile/security"
    assert browser.get("/profile/security/passkeys/new").status_code == 200


@pytest.mark.promise("P10")
def test_a_question_is_good_for_one_answer(owner):
    first, second = _stranger(owner), _stranger(owner)
    # As of a passkey that is kept in several devices and therefore doesn't count.
    owner[1].count = -1
    options = first.question(ASK)
    kept = first.cookies() | {CHALLENGE.name: first.cookie(CHALLENGE.name)}
    answer = owner[1].get(options)
    for name, value in kept.items():
        second.set_cookie(name, value)
    assert first.post(LOGIN, {"credential": answer, "next": "/"}).location == "/"
    # The same browser's cookies of before, put back: the question was answered.
    assert _refused(second, answer)


@pytest.mark.promise("P10")
def test_a_question_asked_of_one_browser_is_not_answered_by_another(owner):
    first, second = _stranger(owner), _stranger(owner)
    answer = owner[1].get(first.question(ASK))
    second.question(ASK)
    assert _refused(second, answer)
    third = _stranger(owner)
    third.set_cookie(CHALLENGE.name, first.cookie(CHALLENGE.name))
    assert _refused(third, answer)


@pytest.mark.promise("P10")
def test_a_question_ends_after_five_minutes(owner, clock):
    browser = _stranger(owner)
    answer = owner[1].get(browser.question(ASK))
    clock.move(minutes=5, seconds=1)
    assert _refused(browser, answer)


@pytest.mark.promise("P10")
def test_a_question_for_confirming_does_not_log_in(owner, nora):
    browser = _stranger(owner)
    browser.log_in(nora.email, nora.password)
    answer = owner[1].get(browser.question("/login/second-step/question"))
    assert _refused(browser, answer)


@pytest.mark.promise("P10")
def test_an_answer_from_another_origin_is_refused(owner):
    owner[1].origin = "http://acme.localhost:8000"
    browser = _stranger(owner)
    assert _refused(browser, owner[1].get(browser.question(ASK)))


@pytest.mark.promise("P10")
def test_an_answer_for_another_host_is_refused(owner):
    browser = _stranger(owner)
    assert _refused(browser, owner[1].get(browser.question(ASK) | {"rpId": "localhost"}))


@pytest.mark.promise("P10")
def test_the_device_must_have_checked_who_holds_it(owner):
    owner[1].flags = 0x01
    browser = _stranger(owner)
    assert _refused(browser, owner[1].get(browser.question(ASK)))


@pytest.mark.promise("P10")
def test_a_count_that_does_not_grow_means_a_copy(owner):
    assert log_in_by_passkey(_stranger(owner), owner[1]).location == "/profile"
    owner[1].count = 0
    browser = _stranger(owner)
    assert _refused(browser, owner[1].get(browser.question(ASK)))


@pytest.mark.promise("P10")
def test_a_signature_of_another_key_is_refused(owner, device_for):
    handle = next(iter(owner[1].keys))
    other = device_for(owner[0])
    browser = _stranger(owner)
    other.create({"user": {"id": "AAAA"}, "rp": {"id": browser.host}, "challenge": "AAAA"})
    key = other.keys.popitem()[1]
    other.keys[handle], other.owners[handle] = key, owner[1].owners[handle]
    assert _refused(browser, other.get(browser.question(ASK)))


RUBBISH = [
    "",
    "x",
    "{}",
    "[]",
    "null",
    "[" * 9000,
    "{" * 20_000,
    '{"rawId": 5}',
    '{"rawId": "é"}',
    '{"id":"a","rawId":"YQ"}',
]


def test_rubbish_is_refused(owner, subtests):
    for answer in RUBBISH:
        with subtests.test(answer=answer[:20]):
            browser = _stranger(owner)
            browser.question(ASK)
            assert _refused(browser, answer)


@pytest.mark.promise("P10")
def test_a_passkey_opens_nobody_elses_half_login(owner, nora, add_person, log_in, device_for):
    otto = add_person(nora.tenant, "Otto", "member")
    his = log_in(otto)
    add_passkey(his, device_for(his))
    browser = _stranger(owner)
    browser.log_in(otto.email, otto.password)
    answer = owner[1].get(browser.question("/login/second-step/question"))
    assert browser.post("/login/second-step/passkey", {"credential": answer}).status_code == 401
    assert browser.cookie(SESSION.name) is None


@pytest.mark.promise("P10")
def test_a_passkey_of_one_organisation_is_worth_nothing_in_another(owner, app, nora):
    browser = Browser(app, "acme.localhost")
    options = browser.question(ASK)
    there = Device(app.extensions["qikbiz"].settings.origin("acme.localhost"))
    there.keys, there.owners = owner[1].keys, owner[1].owners
    assert _refused(browser, there.get(options))


@pytest.mark.promise("P10")
def test_a_disabled_users_passkey_opens_nothing(owner, nora, add_person, log_in):
    boss = log_in(add_person(nora.tenant, "Olga", "administrator"))
    boss.post(f"/users/{nora.id}/closure")
    browser = _stranger(owner)
    assert _refused(browser, owner[1].get(browser.question(ASK)))


@pytest.mark.promise("P10")
def test_adding_one_needs_a_fresh_login_ends_other_sessions_and_is_told(log_in, nora, device_for, clock, rows_of):
    browser, other = log_in(nora), log_in(nora)
    device = device_for(browser)
    codes = add_passkey(browser, device, "Blue key")
    assert len(codes) == 10
    assert other.get("/").status_code == 303
    assert len(rows_of(nora.tenant, "select id from mails where template = 'sign_in_changed'")) == 1
    acts = rows_of(nora.tenant, "select details from audit_events where action = 'factor.added'")
    assert [act["details"] for act in acts] == [{"kind": "passkey", "name": "Blue key"}]
    clock.move(minutes=16)
    late = browser.post("/profile/security/passkeys/question", headers={"Accept": "application/json"})
    assert late.status_code == 403


@pytest.mark.promise("P10")
def test_one_is_named_renamed_and_removed(owner, nora, rows_of):
    browser, device, _ = owner
    row = rows_of(nora.tenant, "select id from user_factors where kind = 'passkey'")[0]
    path = f"/profile/security/passkeys/{row['id']}"
    assert browser.post(f"{path}/name", {"name": "Red laptop"}).status_code == 303
    assert "Red laptop" in browser.get("/profile/security").text
    browser.post(f"{path}/name", {"name": " "})
    assert "Red laptop" in browser.get("/profile/security").text
    assert browser.post(f"{path}/removal").status_code == 303
    stranger = _stranger(owner)
    assert _refused(stranger, device.get(stranger.question(ASK)))
    assert browser.post(f"{path}/removal").status_code == 404


@pytest.mark.promise("P10")
def test_nobody_renames_or_removes_anothers(owner, nora, add_person, log_in, world, rows_of):
    row = rows_of(nora.tenant, "select id from user_factors where kind = 'passkey'")[0]
    for other in (add_person(nora.tenant, "Otto", "administrator"), world.alice):
        browser = log_in(other)
        assert browser.post(f"/profile/security/passkeys/{row['id']}/removal").status_code == 404
        assert browser.post(f"/profile/security/passkeys/{row['id']}/name", {"name": "x"}).status_code == 404


def test_the_page_names_what_one_has(owner, log_in, world):
    page = owner[0].get("/profile/security").text
    assert "Laptop" in page
    assert "10 of 10 codes left" in page
    assert "No app is set up" in page
    assert "with your first passkey" in log_in(world.bob).get("/profile/security").text
