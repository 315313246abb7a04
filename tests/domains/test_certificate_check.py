"""Caddy asks before it gets a certificate. It learns whether we serve a name, and others don't learn even that (P7)."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from provisioning.servers import connect_to_control
from qikbiz.security.rate_limits.local_counters import LocalCounters
from qikbiz.trust.domains import unknown_names
from tests.domains.test_custom_domains import HOST, claim, serve

ADDRESS = "http://127.0.0.1:8000"


@pytest.fixture
def ask(app):
    def asked(name, *, peer="127.0.0.1", **headers):
        path = f"/internal/domains/ask?domain={name}"
        return app.test_client().get(path, base_url=ADDRESS, environ_base={"REMOTE_ADDR": peer}, headers=headers)

    return asked


@pytest.mark.promise("P7")
@pytest.mark.parametrize("name", ["localhost", "www.localhost", "console.localhost", "acme.localhost"])
def test_our_own_names_may_be_certified(ask, name):
    assert ask(name).status_code == 200


@pytest.mark.promise("P7")
@pytest.mark.parametrize(
    "name",
    ["nobody.localhost", "evil.example.com", "", "ACME.localhost", "acme.localhost.", "acme.localhost:80", "x" * 300],
)
def test_any_other_name_may_not(ask, name):
    answer = ask(name)
    assert answer.status_code == 404
    assert answer.text == "no\n"


@pytest.mark.promise("P7")
def test_a_customers_domain_may_once_it_is_proved(ask, app, client_for, name_server):
    alice = client_for("alice")
    claim(alice)
    app.extensions["qikbiz"].directory.look()
    assert ask(HOST).status_code == 404
    serve(alice, name_server)
    assert ask(HOST).status_code == 200
    alice.post(f"/domains/{HOST}/removal")
    app.extensions["qikbiz"].directory.look()
    assert ask(HOST).status_code == 404


@pytest.mark.promise("P7")
@pytest.mark.parametrize(
    ("state", "status"), [("active", 200), ("suspended", 200), ("closing", 200), ("closed", 404), ("creating", 404)]
)
def test_only_for_organisations_that_are_still_ours(ask, app, world, fresh_tenant, state, status):
    tenant = fresh_tenant()
    with connect_to_control(world.settings, autocommit=True) as control:
        control.execute(
            """WITH raised AS (UPDATE directory_state SET version = version + 1 RETURNING version)
               UPDATE tenants SET state = %s, directory_version = raised.version FROM raised WHERE id = %s""",
            (state, tenant.id),
        )
    app.extensions["qikbiz"].directory.look()
    assert ask(tenant.host).status_code == status


@pytest.mark.promise("P7")
@pytest.mark.parametrize(
    "options",
    [
        {"peer": "203.0.113.9"},
        {"X-Forwarded-For": "203.0.113.9"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"Via": "1.1 somebody"},
    ],
)
def test_whoever_is_no_neighbour_gets_the_page_of_an_address_that_is_not_there(ask, options):
    known, unknown = ask("acme.localhost", **options), ask("nobody.localhost", **options)
    assert known.status_code == unknown.status_code == 404
    assert "Acme" not in known.text


@pytest.mark.promise("P7")
@pytest.mark.parametrize("host", ["acme.localhost", "console.localhost"])
def test_it_is_not_there_under_any_name_of_ours(client_for, browser_at, host):
    answer = browser_at(host).get(
        "/internal/domains/ask?domain=acme.localhost", environ_base={"REMOTE_ADDR": "127.0.0.1"}
    )
    assert answer.status_code == 404


def test_names_that_are_tried_out_are_noticed_once_a_minute_and_our_own_still_answered(ask, caplog, monkeypatch):
    monkeypatch.setattr(unknown_names, "_counters", LocalCounters())
    monkeypatch.setattr(unknown_names, "MOST_A_MINUTE", 5)
    # All within one minute, whenever the test runs.
    monkeypatch.setattr(unknown_names, "time", SimpleNamespace(monotonic=lambda: 600.0))
    statuses = [ask(f"try-{number}.example.com").status_code for number in range(8)]
    assert statuses == [404] * 5 + [429] * 3
    assert [line.message for line in caplog.records].count("unknown_names_asked_for") == 1
    assert ask("acme.localhost").status_code == 200


def test_each_minute_begins_anew(monkeypatch):
    monkeypatch.setattr(unknown_names, "_counters", LocalCounters())

    def asked_at(moment, times=1):
        monkeypatch.setattr(unknown_names, "time", SimpleNamespace(monotonic=lambda: moment))
        return [unknown_names.asked_too_often() for _ in range(times)]

    assert not any(asked_at(10.0, unknown_names.MOST_A_MINUTE))
    assert asked_at(11.0) == [True]
    assert asked_at(70.0) == [False]
