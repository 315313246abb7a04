"""Redis is never the truth: killed, wiped or restored from yesterday, sessions stay, and ended ones stay ended."""

from __future__ import annotations

import base64
import socket
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace

import pytest

from qikbiz.app.application import create_app
from qikbiz.identity.sessions.jobs import invalidate_sessions
from qikbiz.identity.sessions.session_cache import _PURPOSE
from qikbiz.web.cookies import SESSION
from tenants.context import tenant_context
from tests.accounts.conftest import forget_rest
from tests.fixtures.web import Browser

IN, OUT = 200, 303


def test_people_stay_logged_in_while_redis_is_away(log_in, world, without_redis):
    alice = log_in(world.alice)
    alice.get("/")
    with without_redis():
        assert alice.get("/").status_code == IN
        assert alice.post("/profile", _profile("Alice")).status_code == 303
    assert alice.get("/").status_code == IN


def test_people_log_in_and_out_while_redis_is_away(log_in, world, without_redis):
    with without_redis():
        alice = log_in(world.alice)
        assert alice.get("/").status_code == IN
        kept = alice.cookie(SESSION.name)
        alice.post("/logout")
        alice.set_cookie(SESSION.name, kept)
        assert alice.get("/").status_code == OUT
    alice.set_cookie(SESSION.name, kept)
    assert alice.get("/").status_code == OUT


def test_a_wiped_redis_logs_nobody_out(app, log_in, world):
    alice = log_in(world.alice)
    alice.get("/")
    with app.extensions["qikbiz"].redis.client() as client:
        client.flushall()
    assert alice.get("/").status_code == IN
    assert alice.get("/").status_code == IN


def test_who_was_logged_out_during_the_outage_stays_out_when_old_data_comes_back(app, log_in, world, without_redis):
    alice, other = log_in(world.alice), log_in(world.alice)
    alice.get("/")
    other.get("/")
    dump = _dump(app)
    kept = alice.cookie(SESSION.name)
    with without_redis():
        alice.post("/logout")
    _restore(app, dump)
    thief = Browser(app, alice.host)
    thief.set_cookie(SESSION.name, kept)
    assert thief.get("/").status_code == OUT
    assert other.get("/").status_code == IN


def test_a_process_that_saw_no_outage_believes_no_old_data(app, log_in, world, servers, another_app):
    """Process two is idle while Redis dies and process one ends Alice's session."""
    alice = log_in(world.alice)
    alice.get("/")
    idle = Browser(another_app, alice.host)
    idle.set_cookie(SESSION.name, alice.cookie(SESSION.name))
    assert idle.get("/").status_code == IN
    dump = _dump(app)
    servers.valkey.kill()
    alice.post("/logout")
    servers.valkey.start()
    forget_rest(app)
    _restore(app, dump)
    assert idle.get("/").status_code == OUT


def test_the_other_processes_are_told_by_a_job(app, log_in, world, without_redis, rows_of):
    alice = log_in(world.alice)
    with without_redis():
        alice.post("/logout")
        jobs = rows_of(
            world.acme.tenant, "select arguments from jobs where kind = 'sessions.invalidate' and state = 'pending'"
        )
    assert {"people": [str(world.alice.id)]} in [job["arguments"] for job in jobs]


def test_what_the_job_does_is_felt_by_every_process(app, log_in, world, redis_keys):
    alice = log_in(world.alice)
    alice.get("/")
    name = f"qb:t:{world.acme.tenant.id.hex}:stamp:{world.alice.id.hex}"
    before = redis_keys(name)[name]
    work = SimpleNamespace(tenant=world.acme.tenant, arguments={"people": [str(world.alice.id)]})
    with app.app_context(), tenant_context(world.acme.tenant):
        invalidate_sessions(work)
    assert redis_keys(name)[name] != before
    assert alice.get("/").status_code == IN


def test_a_full_redis_logs_nobody_out(app, log_in, world):
    alice = log_in(world.alice)
    with app.extensions["qikbiz"].redis.client() as client:
        before = client.config_get("maxmemory")["maxmemory"]
        client.config_set("maxmemory", "1")
    try:
        assert alice.get("/").status_code == IN
        assert log_in(world.ben).get("/").status_code == IN
    finally:
        forget_rest(app)
        with app.extensions["qikbiz"].redis.client() as client:
            client.config_set("maxmemory", before)


def test_a_redis_that_never_answers_holds_up_one_request_and_no_more(log_in, world, monkeypatch):
    # So long that a busy machine does not come to its end inside the test.
    monkeypatch.setattr("tenants.redis._REST_SECONDS", 600.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = replace(world.settings, redis_url=f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        application = create_app(settings, process="tests-silent")
        try:
            silently = Browser(application, world.acme.tenant.host)
            silently.set_cookie(SESSION.name, log_in(world.alice).cookie(SESSION.name))
            assert silently.get("/profile").status_code == IN
            assert _callers(silent) > 0
            for _ in range(5):
                assert silently.get("/profile").status_code == IN
            assert _callers(silent) == 0, "nobody asks it again while it rests"
        finally:
            application.extensions["qikbiz"].dispose()


def test_a_record_of_another_version_is_not_believed(app, log_in, world):
    alice = log_in(world.alice)
    alice.get("/")
    with app.extensions["qikbiz"].redis.client() as client:
        for name in client.keys(f"qb:t:{world.acme.tenant.id.hex}:s:*"):
            sealed = app.extensions["qikbiz"].settings.keys.seal(_PURPOSE, b'{"half": "a record"}', bound_to=name)
            client.set(name, sealed)
    assert alice.get("/").status_code == IN


def test_a_restarted_postgres_is_not_noticed(log_in, world, servers, owner_connection):
    alice = log_in(world.alice)
    alice.get("/")
    # The throw-away server does not write each commit to disk at once.
    owner_connection.execute("CHECKPOINT")
    servers.postgres.stop()
    servers.postgres.start()
    assert alice.get("/").status_code == IN
    assert alice.post("/profile", _profile("Alice")).status_code == 303


@pytest.fixture
def another_app(world):
    application = create_app(world.settings, process="tests-web-2")
    yield application
    application.extensions["qikbiz"].dispose()


def _profile(name):
    return {"name": name, "time_zone": "Europe/Vienna", "theme": "auto"}


def _dump(app):
    """Every key with its value, as a backup of Redis would hold it."""
    with app.extensions["qikbiz"].redis.client() as client:
        names = [name for name in client.keys("*") if client.type(name) == "string"]
        return {name: base64.b64encode(client.get(name).encode()) for name in names}


def _restore(app, dump):
    with app.extensions["qikbiz"].redis.client() as client:
        for name, value in dump.items():
            client.set(name, base64.b64decode(value).decode())


def test_a_redis_that_does_not_say_its_name_is_doubted_but_used(log_in, world, app):
    with app.extensions["qikbiz"].redis.client() as client:
        client.acl_setuser("quiet", enabled=True, nopass=True, keys="*", commands=["+@all", "-info"])
    base = world.settings.redis_url
    quiet = (
        base.replace("://", "://quiet:x@", 1) if "unix" not in base else base.replace("unix://", "unix://quiet:x@", 1)
    )
    application = create_app(replace(world.settings, redis_url=quiet), process="tests-quiet")
    try:
        browser = Browser(application, world.acme.tenant.host)
        browser.set_cookie(SESSION.name, log_in(world.alice).cookie(SESSION.name))
        assert browser.get("/profile").status_code == IN
        with application.extensions["qikbiz"].redis.client() as client:
            assert client.ping()
    finally:
        application.extensions["qikbiz"].dispose()
        with app.extensions["qikbiz"].redis.client() as client:
            client.acl_deluser("quiet")


def _callers(server: socket.socket) -> int:
    """How many have connected since it was asked last."""
    server.settimeout(0)
    found = 0
    with suppress(BlockingIOError):
        while True:
            server.accept()[0].close()
            found += 1
    return found
