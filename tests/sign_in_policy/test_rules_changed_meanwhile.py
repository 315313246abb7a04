"""Promise P16: rules that become stricter in the middle of a login, or of a change of password, hold for it too."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any

import pytest

from qikbiz.identity.passwords import hashing
from qikbiz.web.cookies import SESSION
from tests.fixtures.mfa import code_of, set_up_app
from tests.fixtures.web import Browser
from tests.sign_in_policy.conftest import AS_IT_IS, PAGE

pytestmark = pytest.mark.promise("P16")
NEXT, SECOND, SET_UP = "/login/new-password", "/login/second-step", "/login/set-up"
SHORT, LONG = "short words of sunday", "quite another staple of a great many horses"


@pytest.fixture(params=["the first policy", "a later one"])
def paulas(request, paula, log_in) -> Browser:
    """Her browser; a first policy is no row in the table yet."""
    browser = log_in(paula)
    if request.param == "a later one":
        browser.post(PAGE, AS_IT_IS)
    return browser


@pytest.fixture
def meanwhile(paulas, monkeypatch) -> Callable[..., list[threading.Thread]]:
    """A function: Paula saves stricter rules beside the first call of a function of `hashing`, before or after it."""

    def save_beside(name: str, *, after: bool) -> list[threading.Thread]:
        real, savers = getattr(hashing, name), []

        def act(*given: Any) -> Any:
            result = real(*given) if after else None
            if not savers:
                savers.append(threading.Thread(target=paulas.post, args=(PAGE, AS_IT_IS | {"least_characters": "40"})))
                savers[0].start()
                # She may have to wait for us.
                savers[0].join(1)
            return result if after else real(*given)

        monkeypatch.setattr(hashing, name, act)
        return savers

    return save_beside


def test_between_the_look_at_a_password_and_the_login(paulas, otto, meanwhile):
    browser = Browser(paulas.app, paulas.host)
    browser.get("/login")
    saver = meanwhile("matches", after=True)
    assert browser.log_in(otto.email, otto.password).location == NEXT
    saver[0].join()
    assert Browser(paulas.app, paulas.host).log_in(otto.email, otto.password).location == NEXT


def test_between_the_verdict_on_a_new_password_and_its_date(otto, log_in, meanwhile):
    browser = log_in(otto)
    saver = meanwhile("hash_password", after=False)
    form = {"old_password": otto.password, "password": SHORT}
    assert browser.post("/profile/password", form).status_code == 303
    saver[0].join()
    assert Browser(browser.app, browser.host).log_in(otto.email, SHORT).location == NEXT


def test_before_the_second_factor(set_policy, otto, log_in, clock):
    at_work = log_in(otto)
    secret, _codes = set_up_app(at_work)
    clock.move(minutes=1)
    half = Browser(at_work.app, at_work.host)
    assert half.log_in(otto.email, otto.password).location == SECOND
    set_policy(least_characters="40")
    assert half.post(SECOND, {"code": code_of(secret)}).status_code == 410
    assert half.cookie(SESSION.name) is None
    half.log_in(otto.email, otto.password)
    assert half.post(SECOND, {"code": code_of(secret)}).location == NEXT
    assert half.post(NEXT, {"password": LONG}).location == "/"


def test_before_a_second_factor_is_set_up(set_policy, otto):
    half = Browser(set_policy(factor_for="everyone").app, otto.tenant.host)
    assert half.log_in(otto.email, otto.password).location == SET_UP
    set_policy(factor_for="everyone", least_characters="40")
    assert half.get(f"{SET_UP}/app").status_code == 410
    assert half.log_in(otto.email, otto.password).location == NEXT


def test_what_was_judged_at_the_beginning_goes_on(set_policy, otto, log_in, clock):
    at_work = log_in(otto)
    secret, _codes = set_up_app(at_work)
    clock.move(minutes=1)
    set_policy(least_characters="28")
    half = Browser(at_work.app, at_work.host)
    assert half.log_in(otto.email, otto.password).location == SECOND
    assert half.post(SECOND, {"code": code_of(secret)}).location == "/"


def test_after_a_break_glass_code(paula, log_in, clock):
    inside = log_in(paula)
    secret, _codes = set_up_app(inside)
    shown = inside.post(PAGE, AS_IT_IS | {"networks": inside.address, "least_characters": "28"}).text
    code = re.search(r'data-copy="([a-z0-9-]{24})"', shown)
    assert code, shown
    clock.move(minutes=1)
    half = Browser(inside.app, inside.host)
    form = {"email": paula.email, "password": paula.password, "code": code[1]}
    assert half.post("/break-glass", form).location == SECOND
    assert half.get(SECOND).status_code == 200, "a password that was judged is no longer in doubt"
    inside.post(PAGE, AS_IT_IS | {"networks": inside.address, "least_characters": "40"})
    assert half.post(SECOND, {"code": code_of(secret)}).status_code == 410
    assert half.cookie(SESSION.name) is None
