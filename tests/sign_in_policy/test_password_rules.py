"""Promise P16: the same verdict on the same password on every page; asked again when the rules get stricter."""

from __future__ import annotations

import re
import unicodedata

import pytest

from provisioning.logins import BadLogin, refuse_password
from qikbiz.identity.accounts import lifetimes
from qikbiz.identity.accounts.models import User
from qikbiz.identity.accounts.realms import tenant_realm
from qikbiz.identity.accounts.tokens import make_link
from qikbiz.identity.members.actions import invite_user
from qikbiz.identity.passwords import acceptance
from qikbiz.identity.sign_in_policy.rules import Policy
from qikbiz.kernel.database import tenant_transaction
from qikbiz.web.cookies import REMEMBER
from tests.fixtures.mfa import add_passkey, log_in_by_passkey
from tests.fixtures.web import Browser
from tests.sign_in_policy.conftest import AS_IT_IS, PAGE

pytestmark = pytest.mark.promise("P16")
NEXT = "/login/new-password"
WORDS = ("quiet", "lantern", "harbour", "marble", "orchard", "velvet", "thimble", "canyon")
ODD = (
    "a" * 15,
    "a" * 30,
    "".join(chr(0x1F600 + number % 60) for number in range(200)),
    unicodedata.normalize("NFC", "Größe überall éclair motto"),
    unicodedata.normalize("NFD", "Größe überall éclair motto"),
    unicodedata.normalize("NFC", "éclair über größe"),
    unicodedata.normalize("NFD", "éclair über größe"),
    "Initech Initech 2026",
    "initech initech initech initech",
    "quiet lantern harbour\x00marble orchard velvet",
    "passwordpasswordpassword",
    "abcdefghijklmnopqrstuvwxyz",
    "1234567890123456789012345",
    "qikbiz qikbiz crm qikbiz crm",
    " " * 30,
    "",
)
SIXTY = (*ODD, *(" ".join(WORDS[start % 8 :] + WORDS[: start % 8])[: 12 + start] for start in range(60 - len(ODD))))
MEGABYTE = "quiet lantern " * 75_000
POLICY = Policy(least_characters=24)


@pytest.fixture
def strict(set_policy, paula):
    set_policy(least_characters="24")
    return paula.tenant


def test_there_are_sixty_and_they_go_both_ways():
    verdicts = [acceptance.problem_with(text, context=["Initech"], policy=POLICY) is None for text in SIXTY]
    assert len(SIXTY) == 60
    assert 15 < sum(verdicts) < 45


def test_every_path_gives_the_same_verdict(strict, app, add_person, log_in, otto):
    ways = (
        _by_invitation(app, strict),
        _by_link(app, strict, otto),
        _by_profile(log_in, add_person, strict),
    )
    for number, text in enumerate((*SIXTY, MEGABYTE)):
        expected = acceptance.problem_with(text, context=["Initech", strict.slug], policy=POLICY) is None
        assert [way(number, text) for way in ways] == [expected] * len(ways), repr(text[:60])


def _by_invitation(app, tenant):
    def choose(number, text):
        with app.app_context(), tenant_transaction(tenant):
            url = invite_user(f"n{number}@example.com", "Nn", ["member"])
        path = "/invitation/" + url.rsplit("/", 1)[1]
        return Browser(app, tenant.host).post(path, {"name": "Nn", "password": text}).status_code == 303

    return choose


def _by_link(app, tenant, person):
    def choose(_number, text):
        with app.app_context(), tenant_transaction(tenant) as work:
            url = make_link(work, tenant_realm(), work.get(User, person.id), "password", lifetimes.RESET)
        path = "/new-password/" + url.rsplit("/", 1)[1]
        return Browser(app, tenant.host).post(path, {"password": text}).status_code == 303

    return choose


def _by_profile(log_in, add_person, tenant):
    browser, now = log_in(add_person(tenant, "Pp", "member")), ["correct horse battery staple"]

    def choose(_number, text):
        answer = browser.post("/profile/password", {"old_password": now[0], "password": text})
        if answer.status_code == 303:
            now[0] = text
        return answer.status_code == 303

    return choose


def test_where_a_policy_can_be_set_no_command_takes_a_password(strict, world):
    """It takes the first administrator's alone, who is there before any policy."""
    with pytest.raises(BadLogin, match="no password is accepted"):
        refuse_password(world.settings, strict)


def test_a_password_that_is_too_short_now_is_asked_for_anew_at_the_next_login(set_policy, otto, log_in, rows_of):
    at_work = log_in(otto)
    set_policy(least_characters="30")
    assert at_work.get("/").status_code == 200
    browser = Browser(at_work.app, at_work.host)
    assert browser.log_in(otto.email, otto.password, target="/contacts").location == NEXT
    assert browser.get("/contacts").status_code == 303
    page = browser.get(NEXT).text
    assert "Use at least 30 characters" in page
    for refused in ("still too short", otto.password, ""):
        assert browser.post(NEXT, {"password": refused}).status_code == 422
    new = "quite another staple of many horses"
    assert browser.post(NEXT, {"password": new}).location == "/contacts"
    assert browser.get("/contacts").status_code == 200
    assert at_work.get("/").status_code == 303
    assert Browser(browser.app, browser.host).log_in(otto.email, new).location == "/"
    how = rows_of(otto.tenant, "select details from audit_events where action = 'password.changed'")
    assert [row["details"] for row in how] == [{"how": "login"}]


def test_a_password_that_is_long_enough_is_let_be(set_policy, otto, log_in):
    set_policy(least_characters="28")
    assert len(otto.password) == 28
    log_in(otto)


def test_making_it_looser_asks_nobody(set_policy, otto, log_in):
    set_policy(least_characters="40")
    set_policy(least_characters="15")
    log_in(otto)


def test_a_remembered_device_asks_for_a_password_that_the_rules_have_outgrown(set_policy, otto, log_in):
    browser = log_in(otto, remember=True)
    set_policy(least_characters="30")
    assert browser.get("/").status_code == 200, "what is open goes on"
    browser.close()
    assert browser.get("/").location.startswith("/login")
    assert browser.log_in(otto.email, otto.password, remember=True).location == NEXT
    assert browser.post(NEXT, {"password": "quite another staple of many horses"}).location == "/"
    browser.close()
    assert browser.get("/").status_code == 200, "and is remembered again"


def test_a_password_that_was_judged_once_is_remembered_as_good(set_policy, otto, log_in):
    set_policy(least_characters="28")
    browser = log_in(otto, remember=True)
    browser.close()
    assert browser.get("/").status_code == 200
    # One who was remembered before is asked once, and a looser policy asks no one.
    set_policy(least_characters="29")
    browser.close()
    assert browser.get("/").status_code in (302, 303)
    set_policy(least_characters="15")
    assert browser.get("/").status_code == 200


def test_a_break_glass_code_spares_nobody_the_rules(set_policy, paula, log_in):
    inside = set_policy()
    shown = inside.post(PAGE, AS_IT_IS | {"networks": "10.0.0.0/8"})
    code = re.search(r'data-copy="([a-z0-9-]{24})"', shown.text)
    assert code
    set_policy(networks="10.0.0.0/8", least_characters="30")
    browser = Browser(inside.app, inside.host)
    browser.address = "198.51.100.5"
    form = {"email": paula.email, "password": paula.password, "code": code[1]}
    assert browser.post("/break-glass", form).location == NEXT
    assert browser.get("/").status_code in (302, 303)
    assert browser.post(NEXT, {"password": "quite another staple of many horses"}).location == "/"
    assert browser.get("/").status_code == 200, "from anywhere, as the code promises"


def test_the_preview_of_a_stricter_policy_counts_passwords_and_remembered_devices(set_policy, otto, log_in):
    log_in(otto, remember=True)
    page = set_policy().post(f"{PAGE}/preview", AS_IT_IS | {"least_characters": "30"}).text
    assert "2 passwords will be checked at the next use" in page
    assert "1 remembered device will ask for the password" in page


def test_confirming_takes_no_password_that_the_rules_have_outgrown(set_policy, otto, log_in, clock):
    browser = log_in(otto)
    set_policy(least_characters="30")
    clock.move(minutes=16)
    page = browser.post("/confirm", {"password": otto.password, "next": "/profile/security/app"})
    assert page.status_code == 401
    assert "Use at least 30 characters" in page.text
    assert 'href="/profile/password"' in page.text
    assert browser.get("/profile/security/app").location.startswith("/confirm")
    new = "quite another staple of many horses"
    assert browser.post("/profile/password", {"old_password": otto.password, "password": new}).status_code == 303
    clock.move(minutes=16)
    assert browser.post("/confirm", {"password": new, "next": "/profile"}).location == "/profile"


def test_a_passkey_opens_without_the_password_and_spares_it_no_verdict(set_policy, otto, log_in, device_for, clock):
    at_work = log_in(otto, remember=True)
    device = device_for(at_work)
    codes = add_passkey(at_work, device)
    set_policy(least_characters="30")
    browser = Browser(at_work.app, at_work.host)
    assert log_in_by_passkey(browser, device).location == "/profile"
    assert browser.cookie(REMEMBER.name) is None, "no device is remembered without the password"
    clock.move(minutes=16)
    given = {"password": otto.password, "code": codes[0], "next": "/"}
    assert browser.post("/confirm", given).status_code == 401
    assert "10 of 10 codes left" in browser.get("/profile/security").text, "no code is used up by it"
    answer = device.get(browser.question("/confirm/question"))
    assert browser.post("/confirm/passkey", {"credential": answer, "next": "/profile"}).location == "/profile"


def test_the_preview_says_who_can_log_in_without_the_password(set_policy, otto, log_in, device_for):
    browser = log_in(otto)
    add_passkey(browser, device_for(browser))
    page = set_policy().post(f"{PAGE}/preview", AS_IT_IS | {"least_characters": "30"}).text
    assert "1 user can sign in with a passkey alone" in page


def test_the_preview_of_required_factors_counts_devices_and_logins(set_policy, otto, log_in, device_for):
    log_in(otto, remember=True)
    page = set_policy().post(f"{PAGE}/preview", AS_IT_IS | {"factor_for": "roles", "factor_roles": "member"}).text
    assert "1 user has no second factor" in page
    assert "1 remembered device will ask for the password instead of signing in automatically" in page
    assert "1 open session of these users continues" in page


def test_the_preview_of_networks_counts_remembered_devices(set_policy, otto, log_in):
    log_in(otto, remember=True)
    browser = set_policy()
    page = browser.post(f"{PAGE}/preview", AS_IT_IS | {"networks": browser.address}).text
    assert "1 remembered device will sign in automatically only from the listed networks" in page
