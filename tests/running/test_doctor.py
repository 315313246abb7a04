"""`qikbiz doctor` finds what is wrong, names it, and its remedy heals."""

import json
import socket
import time

import psycopg
import pytest
import redis
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from click.testing import CliRunner

from config.settings import Settings
from provisioning.cli import qikbiz
from provisioning.doctor import Check, examine, machine, queues
from tests.fixtures.servers import Servers, settings_for


def found(settings: Settings, name: str) -> Check:
    return next(check for check in examine(settings).checks if check.name == name)


def run_as_superuser(servers: Servers, statement: str, database: str = "qikbiz_tenants") -> None:
    with psycopg.connect(servers.postgres.url(database=database), autocommit=True) as connection:
        connection.execute(statement.encode())


def test_prepared_servers_are_well_but_for_the_workers_that_do_not_run(prepared: Settings) -> None:
    bad = [check.name for check in examine(prepared).checks if not check.ok and check.name != "front-end files"]
    assert bad == ["queue exports", "queue imports", "queue mail", "queue checks", "queue provisioning", "sweeper"]


def test_every_finding_that_is_bad_says_what_to_do(prepared: Settings) -> None:
    for check in examine(prepared).checks:
        assert check.ok or check.remedy.endswith((".", ";")), check


def test_a_function_that_reaches_other_tenants_is_found_and_the_remedy_closes_it(
    own_servers: Servers, prepared: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_as_superuser(own_servers, "GRANT EXECUTE ON FUNCTION set_config(text, text, boolean) TO PUBLIC")
    run_as_superuser(own_servers, "GRANT USAGE ON LANGUAGE plpgsql TO PUBLIC")
    check = found(prepared, "closed doors")
    monkeypatch.setenv("QIKBIZ_HOME", str(own_servers.home))
    statements = CliRunner().invoke(qikbiz, ["doctor", "--sql"]).stdout
    run_as_superuser(own_servers, statements)
    assert not check.ok
    assert "qikbiz doctor --sql" in check.remedy
    assert "set_config" in statements
    assert "plpgsql" in statements
    assert found(prepared, "closed doors").ok


@pytest.mark.parametrize(
    ("harm", "mending", "said"),
    [
        ("GRANT pg_read_all_data TO qb_cell_001", "REVOKE pg_read_all_data FROM qb_cell_001", "may become pg_read_all"),
        ("ALTER ROLE qb_cell_001 INHERIT", "ALTER ROLE qb_cell_001 NOINHERIT", "inherits"),
        ("ALTER ROLE qb_cell_001 CREATEDB", "ALTER ROLE qb_cell_001 NOCREATEDB", "can create roles or databases"),
        ("CREATE TABLE t (); GRANT SELECT ON t TO qb_cell_001", "DROP TABLE t", "granted to it"),
    ],
)
def test_a_cell_login_with_a_right_of_its_own_is_found(
    own_servers: Servers, prepared: Settings, harm: str, mending: str, said: str
) -> None:
    run_as_superuser(own_servers, harm)
    check = found(prepared, "rights of cell_001")
    run_as_superuser(own_servers, mending)
    assert not check.ok
    assert said in check.detail
    assert found(prepared, "rights of cell_001").ok


def test_a_cell_that_was_sealed_with_another_key_ring_is_found(prepared: Settings) -> None:
    from dataclasses import replace

    from config.keys import KeyRing, new_key_ring_json

    other = replace(prepared, keys=KeyRing.parse(new_key_ring_json()))
    assert "key ring with which the cell was created" in found(other, "login of cell_001").remedy


def test_a_tenant_at_a_version_that_is_not_served_is_named(own_servers: Servers, prepared: Settings) -> None:
    insert = """
        INSERT INTO tenants (id, slug, name, state, schema_name, role_name, cell_name, version)
        VALUES (gen_random_uuid(), 'acme', 'Acme', 'active', 't_aaaaaaaaaaaa', 't_aaaaaaaaaaaa', 'cell_001', '0000')
    """
    run_as_superuser(own_servers, insert, "qikbiz_control")
    check = found(prepared, "tenant versions")
    run_as_superuser(own_servers, "DELETE FROM tenants", "qikbiz_control")
    assert (check.ok, check.detail) == (False, "1 can't be served: acme")
    assert "qikbiz migrate" in check.remedy


def test_redis_that_forgets_or_evicts_is_found(own_servers: Servers, prepared: Settings) -> None:
    with redis.Redis.from_url(own_servers.valkey.url()) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        client.config_set("appendonly", "no")
        eviction, persistence = found(prepared, "redis eviction"), found(prepared, "redis persistence")
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("appendonly", "yes")
    assert not eviction.ok
    assert "allkeys-lru" in eviction.detail
    assert not persistence.ok


@pytest.mark.parametrize(
    ("facts", "ok"),
    [
        ({"redis_version": "6.2.14"}, False),
        ({"redis_version": "7.4.1"}, True),
        ({"redis_version": "7.2.4", "valkey_version": "7.2.5"}, False),
        ({"redis_version": "7.2.4", "valkey_version": "8.0.0"}, True),
    ],
)
def test_an_old_redis_or_valkey_is_refused(facts: dict[str, object], ok: bool) -> None:
    assert queues.version_check(facts).ok is ok


def test_clocks_that_differ_by_more_than_two_seconds_are_found(
    prepared: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    true_time = time.time
    monkeypatch.setattr(time, "time", lambda: true_time() - 5)
    checks = list(machine.clocks(prepared))
    assert [check.ok for check in checks] == [False, False]
    # Asking takes its time on a busy machine, and half of it counts as difference.
    assert all(4.5 < float(check.detail.split()[0]) < 7 for check in checks)


def test_a_full_disk_is_found(prepared: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "LEAST_FREE_BYTES", 2**62)
    assert not found(prepared, "disk").ok


def test_a_mail_server_that_answers_is_well_and_one_that_is_away_is_found(own_servers: Servers) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = settings_for(own_servers.home, QIKBIZ_SMTP_URL=f"smtp://127.0.0.1:{port}")
    assert not found(settings, "mail server").ok
    sink = Controller(Sink(), hostname="127.0.0.1", port=port)
    sink.start()
    try:
        assert found(settings, "mail server").ok
    finally:
        sink.stop()


def test_a_server_that_is_away_is_one_finding_and_the_other_checks_go_on(
    own_servers: Servers, prepared: Settings
) -> None:
    own_servers.valkey.stop()
    try:
        checks = {check.name: check for check in examine(prepared).checks}
    finally:
        own_servers.valkey.start()
    assert not checks["redis"].ok
    assert "make run" in checks["redis"].remedy
    assert checks["closed doors"].ok
    assert checks["clock of postgres"].ok


def test_the_command_prints_the_checks_and_ends_with_1_when_one_is_bad(
    own_servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QIKBIZ_HOME", str(own_servers.home))
    result = CliRunner().invoke(qikbiz, ["doctor", "--json"])
    checks = json.loads(result.stdout)["checks"]
    assert set(checks[0]) == {"name", "ok", "detail", "remedy"}
    assert result.exit_code == 1
    people = CliRunner().invoke(qikbiz, ["doctor"]).stdout
    assert "BAD  queue exports: 0 workers, 0 waiting" in people
