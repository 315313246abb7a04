"""Each fault of a server is really made; `qikbiz doctor` names it, and its remedy, followed, ends it."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
import redis
from click.testing import CliRunner

from config.keys import KeyRing, SealBroken, new_key_ring_json
from config.settings import Settings
from provisioning.cli import qikbiz
from provisioning.doctor import Check, examine, machine, queues
from provisioning.doctor.faults import NO_SLOTS, NOT_PREPARED, REDIS_FULL, remedy_for
from provisioning.embedded.processes import wait_until
from provisioning.servers import connect_to_control
from tests.fixtures.servers import Servers, settings_for


def finding(settings: Settings, name: str) -> Check:
    return next(check for check in examine(settings).checks if check.name.startswith(name))


def as_superuser(servers: Servers, *statements: str, database: str = "postgres") -> None:
    with psycopg.connect(servers.postgres.url(database=database), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def test_a_full_redis(own_servers: Servers, prepared: Settings) -> None:
    with redis.Redis.from_url(own_servers.valkey.url()) as client:
        client.config_set("maxmemory", "1mb")
        found = finding(prepared, "redis memory")
        client.config_set("maxmemory", "0")
    assert (found.ok, found.remedy) == (False, REDIS_FULL)
    assert "full" in found.detail and "maxmemory" in found.remedy
    assert finding(prepared, "redis memory").ok


def test_no_connection_slots_left(own_servers: Servers, prepared: Settings) -> None:
    as_superuser(own_servers, "ALTER SYSTEM SET max_connections = 20")
    own_servers.postgres.stop()
    own_servers.postgres.start()
    held: list[psycopg.Connection[tuple[object, ...]]] = []
    try:
        with pytest.raises(psycopg.OperationalError):
            for _ in range(25):
                held.append(connect_to_control(prepared))
        found = finding(prepared, "control database")
        assert (found.ok, found.remedy) == (False, NO_SLOTS)
        held.pop().close()
        held.pop().close()
        # The server frees a slot a moment after its client is gone.
        assert wait_until(lambda: finding(prepared, "control database").ok, seconds=5)
        nearly = finding(prepared, "connections")
        assert (nearly.ok, nearly.remedy) == (False, NO_SLOTS), nearly
    finally:
        for connection in held:
            connection.close()
        as_superuser(own_servers, "ALTER SYSTEM RESET max_connections")
        own_servers.postgres.stop()
        own_servers.postgres.start()
    assert finding(prepared, "control database").ok and finding(prepared, "connections").ok


def test_servers_that_were_never_prepared(
    own_servers: Servers, prepared: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_superuser(own_servers, "DROP DATABASE qikbiz_control WITH (FORCE)")
    found = finding(prepared, "control database")
    assert (found.ok, found.remedy) == (False, NOT_PREPARED)
    monkeypatch.setenv("QIKBIZ_HOME", str(own_servers.home))
    monkeypatch.setenv("QIKBIZ_ENV", "test")
    assert CliRunner().invoke(qikbiz, ["migrate"]).exit_code == 0
    assert finding(prepared, "control database").ok and finding(prepared, "control version").ok


def test_a_lost_key_ring(own_servers: Servers, prepared: Settings) -> None:
    kept = own_servers.home / "keys.json"
    aside = kept.rename(kept.with_suffix(".aside"))
    found = finding(settings_for(own_servers.home), "login of cell")
    assert not found.ok and "keys.json" in found.remedy
    aside.replace(kept)
    assert finding(settings_for(own_servers.home), "login of cell").ok
    other = KeyRing.parse(new_key_ring_json())
    with pytest.raises(SealBroken, match=r"QIKBIZ_KEYS.*qikbiz doctor"):
        other.open("a", prepared.keys.seal("a", b"x"))


def test_a_home_that_another_version_made(own_servers: Servers, prepared: Settings) -> None:
    made_by = own_servers.home / "postgres" / "PG_VERSION"
    ours = made_by.read_text()
    made_by.write_text("16\n")
    old = finding(prepared, "home")
    made_by.write_text(ours)
    assert not old.ok and "PostgreSQL 16" in old.detail
    assert "QIKBIZ_HOME" in old.remedy and "qikbiz export" in old.remedy
    assert finding(prepared, "home").ok
    statement = "UPDATE schema_version SET checksum = {} || checksum"
    as_superuser(own_servers, statement.format("'x'"), database="qikbiz_control")
    scripts = finding(prepared, "control version")
    as_superuser(own_servers, "UPDATE schema_version SET checksum = substr(checksum, 2)", database="qikbiz_control")
    assert not scripts.ok and "other scripts" in scripts.detail and "QIKBIZ_HOME" in scripts.remedy
    assert finding(prepared, "control version").ok
    # The remedy: an empty home, which the first start fills.
    empty = replace(prepared, home=own_servers.home / "anew")
    assert finding(empty, "home").ok


def test_files_on_another_disk_that_is_full(
    prepared: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    elsewhere = Path(tempfile.mkdtemp(dir="/dev/shm"))
    try:
        home.mkdir()
        (home / "files").symlink_to(elsewhere)
        if home.stat().st_dev == elsewhere.stat().st_dev:
            pytest.skip("There is only one disk here.")
        usage = shutil.disk_usage(home)
        room = {"free": 0}

        def measured(place: Path) -> object:
            is_files = Path(place).stat().st_dev == elsewhere.stat().st_dev
            return usage._replace(free=room["free"] if is_files else 2**40)

        monkeypatch.setattr(shutil, "disk_usage", measured)
        settings = replace(prepared, home=home)
        found = {check.name: check for check in machine.disk(settings)}
        assert [found["disk"].ok, found["disk of the files"].ok] == [True, False]
        assert str(home / "files") in found["disk of the files"].remedy
        room["free"] = 2**40
        assert all(check.ok for check in machine.disk(settings))
    finally:
        shutil.rmtree(elsewhere)


def test_a_cluster_and_faults_that_servers_name_themselves(prepared: Settings) -> None:
    assert not queues.single_server_check({"cluster_enabled": 1}).ok
    assert "Cluster" in queues.single_server_check({"cluster_enabled": 1}).remedy
    assert queues.single_server_check({"cluster_enabled": 0}).ok and queues.single_server_check({}).ok
    for text, remedy in (
        ("FATAL:  sorry, too many clients already", NO_SLOTS),
        ("FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute", NO_SLOTS),
        ('FATAL:  database "qikbiz_control" does not exist', NOT_PREPARED),
        ('FATAL:  role "qikbiz" does not exist', NOT_PREPARED),
    ):
        assert remedy_for(psycopg.OperationalError(text), prepared) == remedy
    full = psycopg.errors.DiskFull("could not extend file")
    assert "Free some disk space" in remedy_for(full, prepared)
    assert "make run" in remedy_for(psycopg.OperationalError("Connection refused"), prepared)
    outside = replace(prepared, embedded=False)
    assert "URL" in remedy_for(psycopg.OperationalError("Connection refused"), outside)
