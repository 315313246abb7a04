"""Servers are prepared once, again without harm, on servers of one's own, by a superuser or not, on 15 as on 18."""

import itertools
import os
import pwd
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from config.settings import Settings, load_settings
from provisioning import tenants as acts
from provisioning.application import working_application
from provisioning.bootstrap import ServerNotPrepared, prepare_servers
from provisioning.create import create_tenant
from provisioning.hardening import openings
from provisioning.migrate import migrate_everything
from provisioning.servers import NoProvisioner, cell_dsn, connect_as_provisioner, connect_to_control
from provisioning.usage import measure_tenants
from qikbiz.kernel.database import tenant_transaction
from tenants.context import Tenant
from tests.fixtures.servers import servers_at, throw_away_folder
from tests.fixtures.world import World

_numbers = itertools.count(1)
DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")


@dataclass(frozen=True)
class OwnServer:
    """A server of the operator's own, and two databases on it that aren't there yet."""

    folder: Path
    redis_url: str
    directory: str
    tenants: str

    def url(self, user: str, database: str = "postgres") -> str:
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def settings(self, provisioner: str, **more: str) -> Settings:
        environment = {
            "QIKBIZ_ENV": "test",
            "QIKBIZ_HOME": str(self.folder / "home"),
            "QIKBIZ_CONTROL_URL": self.url("their_control", self.directory),
            "QIKBIZ_PROVISIONER_URL": self.url(provisioner, self.tenants),
            "QIKBIZ_REDIS_URL": self.redis_url,
        }
        return load_settings({**environment, **more})

    def as_superuser(self, *statements: str, database: str = "postgres") -> None:
        with psycopg.connect(self.url("postgres", database), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())


@pytest.fixture(scope="module", params=["18", "15"])
def socket_folder(request: pytest.FixtureRequest) -> Iterator[Path]:
    folder = throw_away_folder("own")
    start = embedded_18 if request.param == "18" else debian_15
    with_server = start(folder)
    yield next(with_server)
    next(with_server, None)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def own_server(socket_folder: Path, world: World) -> OwnServer:
    number = next(_numbers)
    return OwnServer(socket_folder, world.settings.redis_url, f"directory_{number}", f"tenants_{number}")


@pytest.fixture
def maker(own_server: OwnServer) -> str:
    """A login that may make roles and databases and is no superuser."""
    with psycopg.connect(own_server.url("postgres"), autocommit=True) as superuser:
        known = {row[0] for row in superuser.execute("SELECT rolname FROM pg_roles").fetchall()}
        if "maker" not in known:
            superuser.execute("CREATE ROLE maker LOGIN CREATEROLE CREATEDB")
        if "their_control" not in known:
            superuser.execute("CREATE ROLE their_control LOGIN")
        superuser.execute("GRANT their_control TO maker")
        # Another installation's superuser may have revoked it from PUBLIC.
        superuser.execute("GRANT CONNECT ON DATABASE postgres TO maker")
        if "qb_owner" in known:
            superuser.execute("GRANT qb_owner, qb_notary TO maker")
            superuser.execute("GRANT qb_watch TO maker WITH ADMIN OPTION")
    return "maker"


def embedded_18(folder: Path) -> Iterator[Path]:
    both = servers_at(folder)
    both.postgres.start()
    yield both.postgres.sockets
    both.discard()


def debian_15(folder: Path) -> Iterator[Path]:
    if not (DEBIAN_15 / "initdb").exists():
        pytest.skip("PostgreSQL 15 is not installed on this machine")
    owner = pwd.getpwnam("postgres") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    folder.chmod(0o755)

    def run(program: str, *arguments: str) -> None:
        command = [str(DEBIAN_15 / program), "-D", str(folder / "data"), *arguments]
        who = owner.pw_uid if os.getuid() == 0 else None
        subprocess.run(command, check=True, cwd=folder, user=who, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    run("initdb", "-U", "postgres", "--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync")
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
    yield folder
    run("pg_ctl", "-m", "immediate", "stop")


def test_preparing_again_changes_nothing(world: World) -> None:
    def facts() -> list[object]:
        with connect_to_control(world.settings) as control, connect_as_provisioner(world.settings) as owner:
            cells = control.execute("SELECT name, dsn FROM cells ORDER BY 1").fetchall()
            return [cells, owner.execute("SELECT rolname FROM pg_roles ORDER BY 1").fetchall()]

    before = facts()
    assert prepare_servers(world.settings).statements_for_dba == ()
    assert facts() == before


def test_servers_of_ones_own_serve_with_a_superuser(own_server: OwnServer) -> None:
    settings = own_server.settings("postgres")
    assert prepare_servers(settings).statements_for_dba == ()
    live_through_everything(settings)


def test_servers_of_ones_own_serve_with_a_login_that_may_only_make_roles_and_databases(
    own_server: OwnServer, maker: str
) -> None:
    settings = own_server.settings(maker)
    left_open = prepare_servers(settings).statements_for_dba
    assert any("set_config" in statement for statement in left_open)
    live_through_everything(settings)
    # The DBA does what the message says, and nothing is left.
    own_server.as_superuser(*left_open, database=own_server.tenants)
    assert prepare_servers(settings).statements_for_dba == ()
    with connect_as_provisioner(settings) as connection:
        assert openings(connection) == []
    live_through_everything(settings)


def test_production_waits_for_the_dba(own_server: OwnServer, maker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = own_server.settings(maker)
    monkeypatch.setattr(Settings, "is_production", property(lambda self: True))
    with pytest.raises(ServerNotPrepared, match="let one tenant read another"):
        prepare_servers(settings)


def test_an_owner_made_by_somebody_else_is_said(own_server: OwnServer) -> None:
    prepare_servers(own_server.settings("postgres"))
    own_server.as_superuser("CREATE ROLE stranger LOGIN CREATEDB", "GRANT CONNECT ON DATABASE postgres TO stranger")
    with pytest.raises(ServerNotPrepared, match="GRANT qb_owner TO stranger"):
        prepare_servers(own_server.settings("stranger"))


def test_two_installations_on_one_server_leave_each_others_logins_alone(own_server: OwnServer, world: World) -> None:
    ours = own_server.settings("postgres")
    theirs = replace(own_server, directory=f"{own_server.directory}_b", tenants=f"{own_server.tenants}_b")
    prepare_servers(ours)
    prepare_servers(theirs.settings("postgres"))
    with connect_to_control(ours) as one, connect_to_control(theirs.settings("postgres")) as other:
        logins = [c.execute("SELECT login FROM cells").fetchall() for c in (one, other)]
    assert len(logins[0]) == len(logins[1]) == 1
    assert logins[0] != logins[1]
    live_through_everything(ours)


def live_through_everything(settings: Settings) -> None:
    """Create, enter, write, measure, migrate, delete, erase."""
    slug = f"roundtrip-{next(_numbers)}-org"
    create_tenant(settings, slug, "Round Trip", "office@example.com")
    with working_application(settings) as runtime:
        tenant: Tenant = acts.tenant_named(runtime, slug)
        with tenant_transaction(tenant) as session:
            session.execute(text("INSERT INTO contacts (id, sort_name) VALUES (gen_random_uuid(), 'x')"))
            assert session.scalar(text("SELECT current_user")) == tenant.role
            assert session.scalar(text("SELECT count(*) FROM contacts WHERE search @@ 'x'::tsquery")) == 1
        assert measure_tenants(settings, slug) == 1
        assert acts.show_tenant(settings, slug).records == 1
        assert migrate_everything(settings).failed == []
        assert acts.delete(settings, slug, confirmation=slug, days=0, now=True).state == "closed"


def test_without_a_provisioner_it_is_said(world: World) -> None:
    with pytest.raises(NoProvisioner, match="QIKBIZ_PROVISIONER_URL"):
        prepare_servers(replace(world.settings, provisioner_url=None))


def test_a_cells_dsn_takes_the_place_and_the_checks_of_the_provisioner_but_none_of_its_secrets(
    world: World,
) -> None:
    url = (
        "postgresql://boss:hunter2@db.example.com:6432/crm?sslmode=verify-full&sslrootcert=/etc/ca.pem"
        "&sslcert=/etc/boss.crt&sslkey=/etc/boss.key&options=-c%20role%3Dboss"
    )
    dsn = cell_dsn(replace(world.settings, provisioner_url=url), "qb_cell_001", "secret")
    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    assert parts == {
        "user": "qb_cell_001",
        "password": "secret",
        "host": "db.example.com",
        "port": "6432",
        "dbname": "crm",
        "sslmode": "verify-full",
        "sslrootcert": "/etc/ca.pem",
    }


def test_two_starts_at_the_same_moment_make_everything_once(
    own_server: OwnServer, request: pytest.FixtureRequest, fresh_tenant: Callable[..., Tenant]
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    settings = own_server.settings("postgres")
    with ThreadPoolExecutor(3) as threads:
        assert [done.statements_for_dba for done in threads.map(lambda _: prepare_servers(settings), range(3))] == [
            ()
        ] * 3
    with connect_to_control(settings) as control:
        assert control.execute("SELECT count(*) FROM cells").fetchall() == [(1,)]
