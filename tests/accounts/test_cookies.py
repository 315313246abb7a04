"""Promise P2: session cookies hold an encrypted unique identifier, good for one host, one tenant, one purpose."""

from __future__ import annotations

import base64
import logging
from urllib.parse import unquote

import pytest
from flask import request
from sqlalchemy import text
from werkzeug.datastructures import ImmutableMultiDict

from qikbiz.web.cookies import COOKIES, REMEMBER, SESSION, open_cookie
from tests.accounts.test_sessions import change_tenant

OUT = 303
CHANGES = "Aq_"


def _spellings(secret: str | bytes) -> list[bytes]:
    raw = secret.encode() if isinstance(secret, str) else secret
    return [raw, raw.hex().encode(), base64.b64encode(raw).rstrip(b"="), base64.urlsafe_b64encode(raw).rstrip(b"=")]


def _decoded(cookie: str) -> bytes:
    return base64.urlsafe_b64decode(cookie + "=" * (-len(cookie) % 4))


@pytest.mark.promise("P2")
def test_the_cookie_says_nothing_about_the_person(log_in, world, redis_keys):
    cookies = [log_in(world.alice).cookie(SESSION.name) for _ in range(20)]
    keys = [name.rsplit(":", 1)[1] for name in redis_keys("qb:t:*:s:*")]
    secrets = [world.alice.email, world.alice.id.hex, world.alice.id.bytes, world.acme.tenant.id.bytes, *keys]
    for cookie in cookies:
        for seen in (cookie.encode(), unquote(cookie).encode(), _decoded(cookie)):
            for secret in secrets:
                assert not any(spelling in seen for spelling in _spellings(secret))
    assert len(set(cookies)) == len(cookies)


@pytest.mark.promise("P2")
def test_the_bytes_of_the_cookies_look_random(app, world):
    keys = app.extensions["qikbiz"].settings.keys
    sealed = b"".join(_decoded(keys.seal("session", bytes(48)))[2:] for _ in range(400))
    counts = [sealed.count(bytes([value])) for value in range(256)]
    expected = len(sealed) / 256
    chi_square = sum((count - expected) ** 2 / expected for count in counts)
    # 255 degrees of freedom: beyond 400 once in hundreds of millions of runs.
    assert chi_square < 400


@pytest.mark.promise("P2")
def test_every_single_character_change_is_refused(log_in, browser_at, world, caplog):
    cookie = log_in(world.alice).cookie(SESSION.name)
    for position in range(len(cookie)):
        for character in CHANGES:
            if cookie[position] == character:
                continue
            browser = browser_at("acme.localhost")
            browser.set_cookie(SESSION.name, cookie[:position] + character + cookie[position + 1 :])
            caplog.clear()
            with caplog.at_level(logging.WARNING):
                assert browser.get("/", check=False).status_code == 303
            told = [one for one in caplog.records if one.message in ("session_invalid", "cookie_key_unknown")]
            assert len(told) == 1
            assert not [record for record in caplog.records if record.levelno > logging.ERROR or record.exc_info]


@pytest.mark.promise("P2")
def test_a_dump_of_redis_gives_no_login(log_in, browser_at, world, redis_keys):
    log_in(world.alice).get("/")
    dump = [*redis_keys("*:s:*").items(), *redis_keys("*:stamp:*").items()]
    assert dump
    for name, value in dump[-10:]:
        for stolen in (name, value, name.rsplit(":", 1)[-1]):
            for spelling in _spellings(stolen)[1:]:
                sent = browser_at("acme.localhost").send_cookie_header(f"{SESSION.name}={spelling.decode()[:3000]}")
                assert sent.status_code == 303


@pytest.mark.promise("P2")
def test_a_cookie_of_acme_opens_nothing_at_globex(log_in, browser_at, world):
    alice = log_in(world.alice, remember=True)
    stranger = browser_at("globex.localhost")
    for name, value in alice.cookies().items():
        stranger.set_cookie(name, value)
    assert stranger.get("/").status_code == 303
    assert alice.get("/").status_code == 200


@pytest.mark.promise("P2")
def test_a_cookie_put_under_another_name_opens_nothing(log_in, browser_at, world):
    alice = log_in(world.alice, remember=True)
    swapped = browser_at("acme.localhost")
    swapped.set_cookie(SESSION.name, alice.cookie(REMEMBER.name))
    swapped.set_cookie(REMEMBER.name, alice.cookie(SESSION.name))
    assert swapped.get("/").status_code == 303


@pytest.mark.parametrize("name", ["remember_token", "None", "session", "_user_id"])
def test_no_cookie_of_an_extension_brings_anybody_in(browser_at, world, name):
    header = f"{name}={world.alice.id}|{'0' * 128}"
    assert browser_at("acme.localhost").send_cookie_header(header).status_code == OUT


def test_two_cookies_of_one_name_count_as_none(log_in, browser_at, world):
    cookie = log_in(world.alice).cookie(SESSION.name)
    twice = f"{SESSION.name}={cookie}; {SESSION.name}={cookie}"
    browser = browser_at("acme.localhost")
    assert browser.send_cookie_header(f"{SESSION.name}={cookie}").status_code == 200
    assert browser.send_cookie_header(twice).status_code == 303


def test_twenty_kilobytes_of_cookies_are_refused_kindly(browser_at):
    answer = browser_at("acme.localhost").send_cookie_header(f"x={'y' * 20_000}", "/login")
    assert answer.status_code == 431
    assert "cookies" in answer.text


@pytest.mark.promise("P2")
def test_the_id_before_login_never_becomes_the_one_after(browser_at, log_in, world):
    planted = log_in(world.ben).cookie(SESSION.name)
    browser = browser_at("acme.localhost")
    browser.set_cookie(SESSION.name, planted)
    token = browser.csrf_token()
    form = {"email": world.alice.email, "password": world.alice.password, "csrf_token": token}
    assert browser.post("/login", form).status_code == 303
    assert browser.cookie(SESSION.name) != planted
    planter = browser_at("acme.localhost")
    planter.set_cookie(SESSION.name, planted)
    assert planter.get("/").status_code == 303


@pytest.mark.parametrize("remember", [False, True])
def test_cookies_are_set_and_deleted_with_the_same_attributes(browser_at, world, remember):
    browser = browser_at("acme.localhost")
    entered = browser.log_in(world.alice.email, world.alice.password, remember=remember)
    left = browser.post("/logout")
    for response in (entered, left):
        lines = [line for line in response.headers.getlist("Set-Cookie") if line.startswith("__Host-")]
        assert lines
        for line in lines:
            assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= {part.strip() for part in line.split(";")}
            assert "Domain" not in line
    gone = [line.split("=")[0] for line in left.headers.getlist("Set-Cookie") if "Max-Age=0" in line]
    assert SESSION.name in gone
    assert (REMEMBER.name in gone) == remember


def test_only_the_ticked_box_makes_a_cookie_that_stays(browser_at, world):
    session_only = browser_at("acme.localhost").log_in(world.alice.email, world.alice.password)
    assert not any("Max-Age" in line for line in _lines(session_only, SESSION.name))
    assert not _lines(session_only, REMEMBER.name)
    kept = browser_at("acme.localhost").log_in(world.alice.email, world.alice.password, remember=True)
    assert any("Max-Age=2592000" in line for line in _lines(kept, REMEMBER.name))


@pytest.mark.parametrize("cookie", [SESSION, REMEMBER], ids=["session", "remembered"])
@pytest.mark.parametrize("elsewhere", ["globex.localhost", "console.localhost"])
def test_a_cookie_carried_to_another_host_is_an_event_of_its_own(
    app, browser_at, log_in, world, caplog, cookie, elsewhere
):
    thief, value = browser_at(elsewhere), log_in(world.alice, remember=True).cookie(cookie.name)
    thief.set_cookie(cookie.name, value)
    assert thief.get("/").status_code == OUT
    told = "cross_tenant_cookie" in [record.message for record in caplog.records]
    # The console remembers no device, and doesn't look.
    looked = elsewhere != "console.localhost" or cookie is SESSION
    assert (told, _events(app, thief)) == ((True, ["cross_tenant_cookie"]) if looked else (False, []))


@pytest.mark.promise("P2")
def test_a_cookie_of_an_organisation_that_had_this_address_before_is_a_broken_one(
    app, browser_at, log_in, add_person, make_tenant, caplog
):
    """The browser sends it in good faith: same host, another tenant."""
    before = make_tenant("Before")
    kept = log_in(add_person(before, "Dora", "administrator")).cookie(SESSION.name)
    change_tenant(app, before.id, slug=f"{before.slug}-gone")
    make_tenant("After", slug=before.slug)
    browser = browser_at(before.host)
    browser.set_cookie(SESSION.name, kept)
    assert browser.get("/").status_code == OUT
    assert _events(app, browser) == ["bad_cookie"]


def test_a_broken_cookie_is_an_event_of_its_address(app, browser_at, log_in, world):
    browser = browser_at("acme.localhost")
    browser.set_cookie(SESSION.name, log_in(world.alice).cookie(SESSION.name)[:-2] + "AA")
    browser.get("/login")
    assert _events(app, browser) == ["bad_cookie"]


def _events(app, browser):
    query = text("select kind from abuse_events where host(address) = :address")
    with app.extensions["qikbiz"].control.connect() as connection:
        return list(connection.execute(query, {"address": browser.address}).scalars())


@pytest.mark.promise("P2")
def test_nothing_at_all_that_redis_holds_is_a_cookie(app, log_in, browser_at, world):
    """Every key and every value of any kind, as it is and in each spelling, as either cookie."""
    alice = log_in(world.alice, remember=True)
    alice.get("/")
    with app.extensions["qikbiz"].redis.client() as client:
        keys = sorted(client.keys("*"))
        values = [client.get(key) if client.type(key) == "string" else repr(client.dump(key)) for key in keys]
    thief = browser_at("acme.localhost")
    with app.test_request_context("/", base_url=thief.origin, environ_base=thief.environ):
        request.cookies = ImmutableMultiDict([(SESSION.name, alice.cookie(SESSION.name))])
        assert open_cookie(SESSION)
        for found in {*keys, *values, *(key.rsplit(":", 1)[-1] for key in keys)}:
            for spelling in _spellings(found):
                for cookie in (SESSION, REMEMBER):
                    request.cookies = ImmutableMultiDict([(cookie.name, spelling.decode("utf-8", "replace"))])
                    assert open_cookie(cookie) is None


def test_every_cookie_is_in_the_registry(app):
    assert {cookie.name for cookie in COOKIES} == {f"__Host-Http-qb_{letter}" for letter in "srfvhcgo"}
    assert all(cookie.meaning for cookie in COOKIES)


def _lines(response, name):
    return [line for line in response.headers.getlist("Set-Cookie") if line.startswith(f"{name}=")]
