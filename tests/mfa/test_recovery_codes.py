"""Promise P10: ten recovery codes, each good once, shown once, kept as hashes."""

from __future__ import annotations

import pytest

from tests.fixtures.mfa import code_of, codes_on, set_up_app
from tests.fixtures.web import Browser

pytestmark = pytest.mark.promise("P10")
STEP = "/login/second-step"


@pytest.fixture
def owner(log_in, nora):
    browser = log_in(nora)
    secret, codes = set_up_app(browser)
    return browser, secret, codes


def _try(owner, person, code):
    browser = Browser(owner[0].app, person.tenant.host)
    browser.log_in(person.email, person.password)
    return browser.post(STEP, {"code": code})


def test_a_code_logs_in_once_and_its_owner_is_told(owner, nora, rows_of):
    code = owner[2][3]
    assert _try(owner, nora, code).status_code == 303
    assert _try(owner, nora, code).status_code == 401
    acts = rows_of(nora.tenant, "select details from audit_events where action = 'factor.code_used'")
    assert [act["details"] for act in acts] == [{"left": 9}]
    assert len(rows_of(nora.tenant, "select id from mails where template = 'sign_in_changed'")) == 2
    assert "9 of 10 codes left" in owner[0].get("/profile/security").text


def test_it_may_be_typed_with_blanks_and_capitals(owner, nora):
    assert _try(owner, nora, owner[2][0].replace("-", " ").upper()).status_code == 303


def test_nothing_that_is_kept_is_a_code(owner, nora, rows_of):
    rows = rows_of(nora.tenant, "select handle from user_factors where kind = 'recovery'")
    assert len(rows) == 10
    for code in owner[2]:
        plain = code.replace("-", "")
        assert all(plain.encode() not in bytes(row["handle"]) for row in rows)


def test_new_codes_end_the_old_ones_and_are_shown_once(owner, nora):
    browser, _, old = owner
    new = codes_on(browser.post("/profile/security/recovery-codes").text)
    assert len(new) == 10
    assert not set(new) & set(old)
    assert not any(code in browser.get("/profile/security").text for code in new)
    assert _try(owner, nora, old[0]).status_code == 401
    assert _try(owner, nora, new[0]).status_code == 303


def test_a_code_of_somebody_else_is_worth_nothing(owner, nora, add_person, log_in):
    otto = add_person(nora.tenant, "Otto", "member")
    set_up_app(log_in(otto))
    assert _try(owner, otto, owner[2][0]).status_code == 401
    assert _try(owner, nora, owner[2][0]).status_code == 303


def test_new_codes_need_a_fresh_login_and_a_factor(owner, nora, clock, add_person, log_in):
    clock.move(minutes=16)
    assert owner[0].post("/profile/security/recovery-codes").location.startswith("/confirm")
    otto = add_person(nora.tenant, "Otto", "member")
    assert log_in(otto).post("/profile/security/recovery-codes").status_code == 409


def test_a_recovery_code_confirms_too(owner, nora, clock):
    clock.move(minutes=16)
    confirmed = owner[0].post("/confirm", {"password": nora.password, "code": owner[2][0]})
    assert confirmed.status_code == 303
    clock.move(seconds=60)
    assert owner[0].post("/confirm", {"password": nora.password, "code": code_of(owner[1])}).status_code == 303
