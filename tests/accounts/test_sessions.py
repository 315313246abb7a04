"""A session lasts as long as the rules say, ends at once when it must, and never comes back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from flask import Blueprint
from sqlalchemy.orm import Session

from qikbiz.identity.accounts.realms import Realm
from qikbiz.identity.sessions import sessions
from qikbiz.kernel.access import access
from qikbiz.kernel.database import tenant_transaction
from qikbiz.kernel.permissions import Permission
from qikbiz.web.cookies import SESSION
from tenants.control import TenantRecord
from tenants.directory import touch_directory
from tests.accounts.conftest import counted_statements
from tests.fixtures.web import Browser

IN, OUT = 200, 303


def test_an_ordinary_request_asks_no_database_about_the_person(log_in, world, app):
    alice = log_in(world.alice)
    # As if this process had known Redis for longer than a second.
    app.extensions["qikbiz"].redis.back_at = 0.0
    alice.get("/profile")
    with counted_statements(app, world) as seen:
        assert alice.get("/profile").status_code == IN
    assert seen == []


def test_a_session_ends_after_an_hour_without_use(log_in, world, clock):
    alice = log_in(world.alice)
    clock.move(minutes=59)
    assert alice.get("/").status_code == IN
    clock.move(minutes=59)
    assert alice.get("/").status_code == IN
    clock.move(minutes=61)
    assert alice.get("/").status_code == OUT


def test_a_session_ends_after_twelve_hours_however_busy(log_in, world, clock):
    alice = log_in(world.alice)
    for _ in range(14):
        clock.move(minutes=50)
        assert alice.get("/").status_code == IN
    clock.move(minutes=30)
    assert alice.get("/").status_code == OUT


def test_a_clock_that_jumps_back_logs_nobody_out(log_in, world, clock):
    alice = log_in(world.alice)
    clock.move(hours=-1)
    assert alice.get("/").status_code == IN


def test_using_it_is_written_down_once_a_minute(log_in, world, clock, rows_of, add_person):
    iris = add_person(world.acme.tenant, "Iris", "member")
    browser = log_in(iris)
    query = "select max(last_seen_at) as seen from user_sessions where person_id = :id"
    first = rows_of(world.acme.tenant, query, id=iris.id)[0]["seen"]
    browser.get("/")
    assert rows_of(world.acme.tenant, query, id=iris.id)[0]["seen"] == first
    clock.move(seconds=61)
    browser.get("/")
    assert rows_of(world.acme.tenant, query, id=iris.id)[0]["seen"] > first


def test_the_twenty_first_session_ends_the_oldest(log_in, world, add_person):
    carol = add_person(world.acme.tenant, "Carol", "member")
    browsers = [log_in(carol) for _ in range(21)]
    assert browsers[0].get("/").status_code == OUT
    assert browsers[1].get("/").status_code == IN
    assert browsers[20].get("/").status_code == IN


def _log_out(browser: Browser) -> None:
    browser.post("/logout")


def _end_everywhere_else(browser: Browser, other: Browser) -> None:
    other.post("/profile/sessions/end-others")


def _end_this_one(browser: Browser, other: Browser) -> None:
    page = other.get("/profile/sessions").text
    key = page.split('action="/profile/sessions/')[2].split("/end")[0]
    other.post(f"/profile/sessions/{key}/end")


def _change_password(browser: Browser, other: Browser) -> None:
    changed = other.post(
        "/profile/password",
        {"old_password": "correct horse battery staple", "password": "another horse stapled correctly"},
    )
    assert changed.status_code == 303


ENDINGS: dict[str, Callable[[Browser, Browser], None]] = {
    "logout": lambda browser, _other: _log_out(browser),
    "everywhere else": _end_everywhere_else,
    "this one": _end_this_one,
    "new password": _change_password,
}


@pytest.mark.promise("P2")
@pytest.mark.parametrize("ending", ENDINGS)
def test_an_ended_session_stays_ended(log_in, world, add_person, browser_at, ending, fresh_tenant):
    dora = add_person(fresh_tenant(), "Dora", "administrator")
    browser, other = log_in(dora), log_in(dora)
    browser.get("/")
    kept = browser.cookie(SESSION.name)
    ENDINGS[ending](browser, other)
    thief = browser_at(browser.host)
    for _ in range(3):
        thief.set_cookie(SESSION.name, kept)
        assert thief.get("/").status_code == OUT
    assert other.get("/").status_code == IN


def test_disabling_somebody_is_felt_at_the_next_request(log_in, world, add_person, client_for):
    erik = add_person(world.acme.tenant, "Erik", "member")
    browser = log_in(erik)
    assert browser.get("/").status_code == IN
    client_for("alice").post(f"/users/{erik.id}/closure")
    assert browser.get("/").status_code == OUT
    assert browser.log_in(erik.email, erik.password).status_code == 401


def test_another_role_is_felt_at_the_next_request(log_in, world, add_person, client_for):
    finn = add_person(world.acme.tenant, "Finn", "administrator")
    browser = log_in(finn)
    assert browser.get("/users").status_code == IN
    client_for("alice").post(f"/users/{finn.id}/role", {"role": "reader"})
    assert browser.get("/users").status_code == 403
    assert browser.get("/").status_code == IN


@pytest.mark.promise("P2")
def test_raising_the_tenants_epoch_ends_all_its_sessions(log_in, world, add_person, fresh_tenant, app):
    tenant = fresh_tenant()
    gina = log_in(add_person(tenant, "Gina", "administrator"))
    alice = log_in(world.alice)
    assert gina.get("/").status_code == IN
    change_tenant(app, tenant.id, epoch=tenant.epoch + 1)
    assert gina.get("/").status_code == OUT
    assert alice.get("/").status_code == IN


def test_a_suspension_ends_no_session(log_in, world, add_person, fresh_tenant, app):
    tenant = fresh_tenant()
    hana = log_in(add_person(tenant, "Hana", "administrator"))
    change_tenant(app, tenant.id, state="suspended", state_reason="")
    assert hana.get("/").status_code == IN
    change_tenant(app, tenant.id, state="active")
    assert hana.get("/").status_code == IN


def change_tenant(app, tenant_id, **values):

    runtime = app.extensions["qikbiz"]
    with Session(runtime.control) as work, work.begin():
        record = work.get(TenantRecord, tenant_id)
        for name, value in values.items():
            setattr(record, name, value)
        touch_directory(work, record)
    runtime.directory.look()


@pytest.mark.promise("P2")
def test_logging_out_while_a_slow_request_runs_ends_both(app, log_in, world):
    slow = _slow_view(app)
    alice = log_in(world.alice)
    alice.get("/")
    second = _same_person(alice)
    started, go_on = slow
    answers: list[int] = []
    waiting = threading.Thread(target=lambda: answers.append(second.get("/slow-for-test", check=False).status_code))
    waiting.start()
    assert started.wait(5)
    alice.post("/logout")
    go_on.set()
    waiting.join(5)
    assert answers == [200]
    third = _same_person(second)
    assert third.get("/").status_code == OUT


@pytest.mark.promise("P2")
def test_what_a_slow_request_writes_back_is_not_believed(app, world, log_in):
    """The record of before the revocation, put back by hand, as the slowest of all requests would."""
    alice = log_in(world.alice)
    alice.get("/")
    redis = app.extensions["qikbiz"].redis
    with redis.client() as client:
        names = client.keys(f"qb:t:{world.acme.tenant.id.hex}:s:*")
        before = {name: client.get(name) for name in names}
    kept = alice.cookie(SESSION.name)
    alice.post("/logout")
    with redis.client() as client:
        for name, value in before.items():
            client.set(name, value)
    thief = Browser(app, alice.host)
    thief.set_cookie(SESSION.name, kept)
    assert thief.get("/").status_code == OUT


@pytest.mark.promise("P2")
def test_a_revocation_whose_transaction_fails_ends_nothing(app, world, log_in):
    alice = log_in(world.alice)
    with app.test_request_context("/", base_url=alice.origin):
        realm = Realm(world.acme.tenant, world.acme.tenant.host)
        with pytest.raises(ZeroDivisionError), tenant_transaction(world.acme.tenant) as work:
            sessions.end_sessions_of(work, realm, world.alice.id, "test")
            raise ZeroDivisionError
    assert alice.get("/").status_code == IN


def _same_person(browser: Browser) -> Browser:
    other = Browser(browser.app, browser.host)
    for name, value in browser.cookies().items():
        other.set_cookie(name, value)
    return other


_slow: dict[int, tuple[threading.Event, threading.Event]] = {}


def _slow_view(app):
    """A route that waits for a signal."""
    if id(app) in _slow:
        return _slow[id(app)]
    started, go_on = threading.Event(), threading.Event()
    pages = Blueprint("slow_for_test", __name__)

    @pages.get("/slow-for-test")
    @access(Permission.SIGNED_IN)
    def slow():
        started.set()
        assert go_on.wait(5)
        time.sleep(0.01)
        return "done"

    _open_late(app, pages)
    _slow[id(app)] = (started, go_on)
    return started, go_on


def _open_late(app, pages):
    app._got_first_request = False
    app.register_blueprint(pages, subdomain="tenant")
