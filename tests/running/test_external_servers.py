"""With QIKBIZ_CONTROL_URL, QIKBIZ_PROVISIONER_URL and QIKBIZ_REDIS_URL the product uses those servers, starts none."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from config.embedded import socket_directory
from config.settings import Settings, SettingsError, environment_for_children
from provisioning.bootstrap import prepare_servers
from provisioning.doctor import examine
from provisioning.procfile import processes_of
from provisioning.up import PROVISIONING_WORKER, kept_servers
from tests.fixtures.servers import Servers, servers_at, settings_for


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Servers]:
    """Servers in place of the operator's own: another home, databases of other names."""
    both = servers_at(Path(tempfile.mkdtemp(prefix="qb-")))
    both.start()
    yield both
    both.discard()


@pytest.fixture
def external(elsewhere: Servers, tmp_path: Path) -> Settings:
    place = quote(str(socket_directory(elsewhere.home)), safe="/")
    return settings_for(
        tmp_path,
        QIKBIZ_CONTROL_URL=f"postgresql://crm_control:a-secret@/crm_control?host={place}",
        QIKBIZ_PROVISIONER_URL=f"postgresql://postgres@/crm_tenants?host={place}",
        QIKBIZ_REDIS_URL=elsewhere.valkey.url().replace("db=0", "db=3"),
    )


def test_the_given_servers_are_prepared_and_found_well(elsewhere: Servers, external: Settings) -> None:
    assert not external.embedded
    prepare_servers(external)
    bad = {check.name for check in examine(external).checks if not check.ok}
    assert not {name for name in bad if not name.startswith(("queue", "sweeper", "redis persistence", "front-end"))}
    with psycopg.connect(elsewhere.postgres.url()) as connection:
        names = {name for (name,) in connection.execute("SELECT datname FROM pg_database").fetchall()}
    assert {"crm_control", "crm_tenants"} <= names


def test_no_server_is_started_beside_them(external: Settings) -> None:
    assert kept_servers(external) == []


def test_only_the_provisioning_worker_is_told_the_provisioners_login(
    external: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QIKBIZ_PROVISIONER_URL", str(external.provisioner_url))
    assert "QIKBIZ_PROVISIONER_URL" in environment_for_children(external, may_provision=True)
    assert "QIKBIZ_PROVISIONER_URL" not in environment_for_children(external, may_provision=False)
    assert PROVISIONING_WORKER in processes_of()


def test_half_given_servers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="or neither"):
        settings_for(tmp_path, QIKBIZ_REDIS_URL="redis://localhost/0")
