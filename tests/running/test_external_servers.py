"""Servers of the customer's own: the oldest PostgreSQL and Redis that are supported, and a provisioner who is no superuser."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from provisioning.embedded.account import Account, server_account
from tests.bench.stage import free_port

ROOT = Path(__file__).resolve().parents[2]
INITDB = Path("/usr/lib/postgresql/15/bin/initdb")
REDIS = shutil.which("redis-server")
IS_MANDATORY = os.environ.get("QIKBIZ_REQUIRE_EXTERNAL") == "1"

pytestmark = pytest.mark.skipif(
    not IS_MANDATORY and not (INITDB.exists() and REDIS),
    reason="Debian's postgresql-15 and redis-server are not installed",
)


@dataclass(frozen=True)
class Outside:
    """Running servers and the environment that points our programs at them."""

    environment: dict[str, str]
    superuser_url: str

    def qikbiz(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(Path(sys.executable).with_name("qikbiz")), *words],
            env={**os.environ, **self.environment, **more},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def outside() -> Iterator[Outside]:
    home = Path(tempfile.mkdtemp(prefix="qikbiz-outside-"))
    account, port, redis_port = server_account(home / "postgres"), free_port(), free_port()
    account.own_directory(home / "postgres")
    _start_postgres(account, home / "postgres", port)
    redis = subprocess.Popen(
        [str(REDIS), "--port", str(redis_port), "--bind", "127.0.0.1", "--appendonly", "yes", "--dir", str(home)],
        stdout=subprocess.DEVNULL,
    )
    superuser = f"postgresql://dba@127.0.0.1:{port}"
    with psycopg.connect(f"{superuser}/postgres", autocommit=True) as connection:
        connection.execute("CREATE ROLE prov LOGIN CREATEROLE CREATEDB PASSWORD 'p'")
        connection.execute("CREATE ROLE ctl LOGIN PASSWORD 'c'")
    environment = {
        "QIKBIZ_ENV": "test",
        "QIKBIZ_HOME": str(home / "var"),
        "QIKBIZ_CONTROL_URL": f"postgresql://ctl:c@127.0.0.1:{port}/qikbiz_control",
        "QIKBIZ_PROVISIONER_URL": f"postgresql://prov:p@127.0.0.1:{port}/qikbiz_tenants",
        "QIKBIZ_REDIS_URL": f"redis://127.0.0.1:{redis_port}/0",
    }
    yield Outside(environment, superuser)
    redis.terminate()
    redis.wait(10)
    _postgres(account, home / "postgres", "pg_ctl", "-D", str(home / "postgres" / "data"), "-m", "immediate", "stop")
    shutil.rmtree(home, ignore_errors=True)


def test_the_same_program_uses_servers_of_one_s_own(outside: Outside) -> None:
    prepared = outside.qikbiz("migrate", "--json")
    assert prepared.returncode == 0, prepared.stderr
    assert "qikbiz doctor --sql" in prepared.stderr
    _close_as_dba(outside)
    again = outside.qikbiz("migrate", "--json")
    assert again.returncode == 0 and not again.stderr
    made = outside.qikbiz(
        "tenant", "create", "outsider", "--name", "Outsider", "--admin-email", "o@example.com", "--json"
    )
    assert made.returncode == 0, made.stderr
    facts = json.loads(made.stdout)
    assert facts["slug"] == "outsider" and facts["cell"] == "cell_001"
    assert not (Path(outside.environment["QIKBIZ_HOME"]) / "postgres").exists()


def test_doctor_finds_nothing_wrong_but_the_missing_workers(outside: Outside) -> None:
    outside.qikbiz("migrate")
    _close_as_dba(outside)
    checks = json.loads(outside.qikbiz("doctor", "--json").stdout)["checks"]
    wrong = [check["name"] for check in checks if not check["ok"]]
    assert all(name.startswith(("queue", "sweeper")) for name in wrong), wrong
    details = " ".join(check["detail"] for check in checks)
    assert "PostgreSQL 15" in details and "Redis 7" in details


def test_production_waits_for_the_dba(outside: Outside) -> None:
    with psycopg.connect(f"{outside.superuser_url}/qikbiz_tenants", autocommit=True) as connection:
        connection.execute("GRANT EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) TO PUBLIC")
    checks = json.loads(outside.qikbiz("doctor", "--json").stdout)["checks"]
    door = next(check for check in checks if check["name"] == "closed doors")
    assert not door["ok"] and "doctor --sql" in door["remedy"]
    _close_as_dba(outside)
    checks = json.loads(outside.qikbiz("doctor", "--json").stdout)["checks"]
    assert next(check for check in checks if check["name"] == "closed doors")["ok"]


def test_the_tenant_s_role_is_a_wall_on_the_oldest_server_too(outside: Outside) -> None:
    with psycopg.connect(f"{outside.superuser_url}/qikbiz_tenants", autocommit=True) as connection:
        rows = connection.execute(
            "SELECT rolname FROM pg_roles WHERE rolname LIKE 't\\_%' AND NOT rolcanlogin AND NOT rolinherit"
        ).fetchall()
        assert rows
        connection.execute(f'SET ROLE "{rows[0][0]}"'.encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT set_config('role', 'none', false)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT relname FROM pg_class")


def _close_as_dba(outside: Outside) -> None:
    statements = json.loads(outside.qikbiz("doctor", "--sql", "--json").stdout)["statements"]
    with psycopg.connect(f"{outside.superuser_url}/qikbiz_tenants", autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def _start_postgres(account: Account, folder: Path, port: int) -> None:
    data = str(folder / "data")
    _postgres(account, folder, "initdb", "-D", data, "-U", "dba", "--auth=trust", "-E", "UTF8", "--no-sync")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    _postgres(account, folder, "pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
    for _ in range(100):
        try:
            psycopg.connect(f"postgresql://dba@127.0.0.1:{port}/postgres").close()
            return
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise RuntimeError("PostgreSQL 15 did not start.")


def _postgres(account: Account, folder: Path, program: str, *words: str) -> None:
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    command: list[str | Path] = [INITDB.with_name(program), *words]
    with (Path(tempfile.gettempdir()) / f"qikbiz-outside-{os.getpid()}.log").open("ab") as output:
        code = account.run(command, directory=folder, environment=environment, output=output)
    assert code == 0, (program, code)
