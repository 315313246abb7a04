"""The servers that come along: started, adopted, killed, in long paths, two copies side by side."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from config.embedded import LONGEST_SOCKET_PATH, control_url, redis_url, socket_directory
from provisioning import log_rotation
from provisioning.embedded import EmbeddedPostgres, EmbeddedValkey, ServerFailed
from provisioning.embedded.processes import has_ended, wait_until
from tests.fixtures.servers import Servers, servers_at, throw_away_folder


@pytest.fixture
def home() -> Iterator[Path]:
    folder = throw_away_folder("own")
    yield folder
    servers_at(folder).discard()


def pid_of(postgres: EmbeddedPostgres) -> int:
    return int((postgres.directory / "postmaster.pid").read_text().split()[0])


def asked(postgres: EmbeddedPostgres, question: str) -> object:
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        row = connection.execute(question.encode()).fetchone()
        return row[0] if row else None


def test_postgres_sorts_alike_everywhere_keeps_utc_and_listens_on_no_network(servers: Servers) -> None:
    assert asked(servers.postgres, "SELECT datlocprovider::text || datlocale FROM pg_database LIMIT 1") == "bC.UTF-8"
    assert asked(servers.postgres, "SHOW timezone") == "UTC"
    assert asked(servers.postgres, "SHOW listen_addresses") == ""
    assert asked(servers.postgres, "SHOW data_checksums") == "on"
    assert asked(servers.postgres, "SHOW max_connections") == "200"
    assert asked(servers.postgres, "SELECT lower('ÄÖ')") == "äö"


def test_nobody_but_its_account_and_root_reaches_the_sockets(servers: Servers) -> None:
    assert socket_directory(servers.home).stat().st_mode & 0o077 == 0


def test_postgres_for_keeps_is_durable_and_for_tests_is_not(servers: Servers, home: Path) -> None:
    postgres = EmbeddedPostgres(home)
    postgres.start()
    assert asked(postgres, "SHOW fsync") == "on"
    assert asked(servers.postgres, "SHOW fsync") == "off"


def test_postgres_keeps_its_rows_over_a_stop_and_over_a_kill(home: Path) -> None:
    postgres = EmbeddedPostgres(home)
    postgres.start()
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    postgres.stop()
    assert not postgres.is_running()
    postgres.start()
    assert asked(postgres, "SELECT n FROM kept") == 7
    postgres.kill()
    assert not postgres.is_running()
    started = time.monotonic()
    postgres.start()
    assert asked(postgres, "SELECT n FROM kept") == 7
    assert time.monotonic() - started < 3


def test_postgres_starts_again_when_only_its_first_process_was_killed(home: Path) -> None:
    postgres = EmbeddedPostgres(home, durable=False)
    postgres.start()
    session = psycopg.connect(postgres.url())
    first = psutil.Process(pid_of(postgres))
    first.kill()
    assert wait_until(lambda: has_ended(first), seconds=2)
    postgres.start()
    session.close()
    assert asked(postgres, "SELECT 1") == 1


def test_a_running_server_is_adopted_by_the_next_start(home: Path) -> None:
    first = EmbeddedPostgres(home, durable=False)
    first.start()
    second = EmbeddedPostgres(home, durable=False)
    pid = pid_of(first)
    second.start()
    assert pid_of(second) == pid
    second.stop()
    assert not first.is_running()


def test_a_pid_file_that_names_a_stranger_is_not_believed(home: Path) -> None:
    postgres = EmbeddedPostgres(home, durable=False)
    postgres.start()
    postgres.stop()
    stranger = psutil.Process()
    (postgres.directory / "postmaster.pid").write_text(f"{stranger.pid}\n{postgres.directory}\n0\n5432\n\n\n\nready\n")
    assert not postgres.is_running()
    postgres.stop()
    assert stranger.is_running()
    postgres.start()
    assert asked(postgres, "SELECT 1") == 1


def test_data_of_another_postgres_version_is_refused_in_a_sentence(home: Path) -> None:
    postgres = EmbeddedPostgres(home, durable=False)
    postgres.start()
    postgres.stop()
    (postgres.directory / "PG_VERSION").write_text("16\n")
    with pytest.raises(ServerFailed, match=r"was made by PostgreSQL 16; this program brings 18"):
        postgres.start()


def test_a_start_that_fails_says_what_the_log_says(home: Path) -> None:
    postgres = EmbeddedPostgres(home, durable=False)
    postgres.start()
    postgres.stop()
    (postgres.directory / "pg_hba.conf").write_text("nonsense\n")
    with pytest.raises(ServerFailed, match=r"pg_hba\.conf"):
        postgres.start()


def test_valkey_keeps_what_it_was_told_over_a_stop_and_over_a_kill(home: Path) -> None:
    valkey = EmbeddedValkey(home)
    valkey.start()
    client = redis.Redis.from_url(valkey.url())
    assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    assert client.config_get("appendonly") == {"appendonly": "yes"}
    client.set("kept", "1")
    valkey.stop()
    assert not valkey.is_running()
    valkey.start()
    client.set("kept too", "2")
    time.sleep(0.1)
    valkey.kill()
    assert not valkey.is_running()
    valkey.start()
    assert client.mget("kept", "kept too") == [b"1", b"2"]


def test_two_copies_run_side_by_side(servers: Servers, home: Path) -> None:
    other = servers_at(home)
    other.start()
    assert other.postgres.url() != servers.postgres.url()
    assert other.valkey.url() != servers.valkey.url()
    assert other.postgres.is_running()
    assert servers.postgres.is_running()


def test_a_long_path_and_a_path_with_spaces_work(home: Path) -> None:
    deep = home / ("a long folder's name " * 6).strip() / "var"
    assert len(str(socket_directory(deep))) < LONGEST_SOCKET_PATH
    both = servers_at(deep)
    try:
        both.start()
        assert asked(both.postgres, "SELECT 1") == 1
        assert redis.Redis.from_url(redis_url(deep)).ping()
    finally:
        both.discard()
        shutil.rmtree(socket_directory(deep), ignore_errors=True)
    spaced = home / "my var"
    assert "%20" in control_url(spaced)
    both = servers_at(spaced)
    try:
        both.start()
        assert asked(both.postgres, "SELECT 1") == 1
        assert both.valkey.is_running()
    finally:
        both.discard()


def test_a_large_log_is_put_aside_at_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_rotation, "LARGE", 10)
    log = tmp_path / "log" / "qikbiz.log"
    log_rotation.turn_over(log)
    log.write_text("small")
    log_rotation.turn_over(log)
    assert log.exists()
    log.write_text("rather a large one")
    log_rotation.turn_over(log)
    assert not log.exists()
    assert (tmp_path / "log" / "qikbiz.log.1").read_text() == "rather a large one"
