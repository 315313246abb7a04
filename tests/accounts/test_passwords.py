"""Promise P16: one rule for passwords on every path, and nothing learned by trying names."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
import unicodedata
from dataclasses import replace

import pytest
from sqlalchemy import update

from qikbiz.app.application import create_app
from qikbiz.identity.accounts import lifetimes
from qikbiz.identity.accounts.models import User
from qikbiz.identity.passwords import acceptance, hashing
from qikbiz.identity.passwords.common_passwords import weakness_of
from qikbiz.kernel.database import tenant_transaction
from tests.fixtures.web import Browser

GOOD = (
    "correct horse battery staple",
    "four unrelated quiet words",
    "ünïcödé pässwörter sind gut",
    "пароль из нескольких слов",
    "".join(chr(0x1F600 + number % 60) for number in range(200)),
    "tr0ub4dor&3 wandered off",
    "Xk9#mQ2$vL7!pR4",
)
BAD = {
    "too short": "fourteen chars",
    "one letter": "a" * 15,
    "a piece over and over": "abcabcabcabcabcabc",
    "the alphabet": "abcdefghijklmnopqrstuvwxyz",
    "rows of keys": "qwertyuiopasdfghjkl",
    "digits in order": "1234567890123456",
    "from a leak": "1qaz2wsx3edc4rfv",
    "a word from a leak with digits": "passwordstandard2026",
    "the organisation": "Acme Industrial 2026!",
    "the own address": "alice@acme.example.com",
    "the product": "QikBiz QikBiz CRM 1",
    "a NUL": "correct horse\x00battery staple",
    "a kilobyte and more": "correct horse battery staple " * 40,
}


@pytest.mark.parametrize("password", GOOD)
def test_good_passwords_are_accepted_whatever_they_are_made_of(password):
    assert acceptance.problem_with(password) is None


@pytest.mark.parametrize("reason", BAD)
def test_bad_passwords_are_refused_with_a_reason(reason):
    context = ("Acme Industrial", "acme", "Alice", "alice@acme.example.com")
    problem = acceptance.problem_with(BAD[reason], context=context)
    assert problem
    assert problem.endswith(".")


def test_no_rule_asks_for_digits_or_signs():
    assert acceptance.problem_with("only small letters and blanks") is None


def test_different_spellings_of_one_password_are_the_same(working):
    composed = unicodedata.normalize("NFC", "Größe überall éclair motto")
    decomposed = unicodedata.normalize("NFD", composed)
    assert composed != decomposed
    stored = hashing.hash_password(composed)
    assert hashing.matches(stored, decomposed)
    assert acceptance.problem_with(composed) == acceptance.problem_with(decomposed)


def test_the_whole_password_counts_beyond_seventy_two_bytes(working):
    stored = hashing.hash_password("x y" * 40 + "end")
    assert not hashing.matches(stored, "x y" * 40 + "END")


def test_weakness_is_found_quickly_even_in_a_long_password():
    started = time.perf_counter()
    weakness_of("ab" * 512)
    assert time.perf_counter() - started < 0.5


def test_the_same_verdict_on_every_path(log_in, browser_at, world, fresh_tenant, add_person, app):
    """Invitation, forgotten password, profile and command line, for every password above."""
    tenant = fresh_tenant("Acme Industrial")
    admin = add_person(tenant, "Alice", "administrator")
    # The command takes a password for the first administrator only, so each good one needs a tenant of its own.
    unused = fresh_tenant("Acme Industrial")
    for text in (*GOOD[:2], *(text for reason, text in BAD.items() if reason != "the own address")):
        expected = acceptance.problem_with(text, context=("Acme Industrial", "Lena", unused.slug)) is None
        if "\x00" not in text:
            assert _by_command(world, unused, text) == expected, text
            unused = fresh_tenant("Acme Industrial") if expected else unused
    for text in (GOOD[1], BAD["one letter"], BAD["from a leak"], BAD["a NUL"], BAD["the organisation"]):
        expected = text in GOOD
        assert _by_invitation(app, tenant, text) == expected, text
        assert _by_link(app, tenant, admin, text) == expected, text
        assert _by_profile(log_in, add_person(tenant, f"P{abs(hash(text))}", "member"), text) == expected, text


def _by_invitation(app, tenant, password):
    from qikbiz.identity.members.actions import invite_user

    with app.app_context(), tenant_transaction(tenant):
        url = invite_user(f"lena{abs(hash(password))}@example.com", "Lena", ["member"])
    browser = Browser(app, tenant.host)
    path = "/invitation/" + url.rsplit("/", 1)[1]
    return browser.post(path, {"name": "Lena", "password": password}).status_code == 303


def _by_link(app, tenant, person, password):
    from qikbiz.identity.accounts.realms import tenant_realm
    from qikbiz.identity.accounts.tokens import make_link

    with app.app_context(), tenant_transaction(tenant) as work:
        url = make_link(work, tenant_realm(), work.get(User, person.id), "password", lifetimes.RESET)
    browser = Browser(app, tenant.host)
    return browser.post("/new-password/" + url.rsplit("/", 1)[1], {"password": password}).status_code == 303


def _by_profile(log_in, person, password):
    browser = log_in(person)
    form = {"old_password": person.password, "password": password}
    return browser.post("/profile/password", form).status_code == 303


def _by_command(world, tenant, password):
    from provisioning.logins import create_user
    from qikbiz.kernel.errors import Failure

    address = f"lena{abs(hash(password + 'c'))}@example.com"
    try:
        create_user(
            world.settings, tenant, email=address, name="Lena", role="administrator", read_password=lambda: password
        )
    except Failure:
        return False
    return True


def test_a_megabyte_is_refused_before_anything_is_hashed(browser_at, world, monkeypatch):
    def never(*_arguments):
        raise AssertionError("A megabyte was hashed.")

    browser = browser_at("acme.localhost")
    token = browser.csrf_token()
    monkeypatch.setattr(hashing, "matches", never)
    form = {"email": world.alice.email, "password": "x" * 1_000_000, "csrf_token": token}
    assert browser.post("/login", form).status_code == 413


def test_a_hash_of_weaker_parameters_is_renewed_at_login(world, fresh_tenant, add_person, rows_of):
    olaf = add_person(fresh_tenant(), "Olaf", "member")
    query = "select password_hash from users where id = :id"
    before = rows_of(olaf.tenant, query, id=olaf.id)[0]["password_hash"]
    stronger = create_app(replace(world.settings, argon2_memory_kib=128), process="tests-argon")
    try:
        assert Browser(stronger, olaf.tenant.host).log_in(olaf.email, olaf.password).status_code == 303
    finally:
        stronger.extensions["qikbiz"].dispose()
    after = rows_of(olaf.tenant, query, id=olaf.id)[0]["password_hash"]
    assert "m=128" in after
    assert before != after


def test_unknown_disabled_and_invited_names_get_the_same_answer(browser_at, world, app, fresh_tenant, add_person):
    tenant = fresh_tenant()
    for name, state in (("Invited", "invited"), ("Disabled", "disabled"), ("Active", "active")):
        person = add_person(tenant, name, "member")
        with app.app_context(), tenant_transaction(tenant) as work:
            work.execute(update(User).where(User.id == person.id).values(state=state))
    answers = []
    for name in ("invited", "disabled", "active", "nobody"):
        browser = browser_at(tenant.host)
        page = browser.log_in(f"{name}@{tenant.slug}.example.com", "certainly not the password")
        text = page.text.replace(f"{name}@", "@")
        kept = [line for line in text.splitlines() if "csrf" not in line and "Reference" not in line]
        answers.append((page.status_code, kept, sorted(name for name, _value in page.headers)))
    assert all(answer == answers[0] for answer in answers)


def test_unknown_names_take_as_long_as_known_ones(world, add_person):
    """A few dozen of each, interleaved; the hash is the only slow step and is made for both."""
    slow = create_app(replace(world.settings, argon2_memory_kib=8 * 1024, argon2_iterations=2), process="tests-time")
    pia = add_person(world.acme.tenant, "Pia", "reader")
    # Signing in once renews the hash under this process's parameters.
    assert Browser(slow, world.acme.tenant.host).log_in(pia.email, pia.password).status_code == 303
    try:
        times_taken: dict[str, list[float]] = {"known": [], "unknown": []}
        for number in range(36):
            for kind, name in (("known", pia.email), ("unknown", f"nobody{number}@acme.example.com")):
                browser = Browser(slow, "acme.localhost")
                token = browser.csrf_token()
                started = time.perf_counter()
                browser.post("/login", {"email": name, "password": "x" * 20, "csrf_token": token}, check=False)
                times_taken[kind].append(time.perf_counter() - started)
        known, unknown = (statistics.median(times_taken[kind]) for kind in ("known", "unknown"))
        assert abs(known - unknown) < 0.25 * max(known, unknown)
    finally:
        slow.extensions["qikbiz"].dispose()


def test_the_lists_of_leaked_passwords_are_not_read_before_they_are_needed():
    code = "import sys, qikbiz.identity.passwords.acceptance; sys.exit('zxcvbn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
