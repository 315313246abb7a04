"""`qikbiz doctor` checks every connection to another server, and which proxies are believed about TLS (P7)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_network
from types import SimpleNamespace
from typing import Any, cast

import pytest

from config.settings import Settings
from provisioning.doctor import Check, tls
from provisioning.servers import Connection, connect_to_control
from tenants.runtime import CELL_DSN
from tests.fixtures.world import World

pytestmark = pytest.mark.promise("P7")
FAR = "postgresql://q@db.example.org/c?sslmode="


def production(settings: Settings, **changes: Any) -> Settings:
    return replace(settings, environment="production", **changes)


def speaking(*, ssl: bool, version: str | None, host: str = "db.example.org") -> Connection:
    """A connection to a server elsewhere, which the tests have none of."""
    answer = SimpleNamespace(fetchone=lambda: (ssl, version))
    return cast(Connection, SimpleNamespace(info=SimpleNamespace(host=host), execute=lambda _: answer))


@pytest.fixture
def cell_in_the_clear(world: World) -> Iterator[str]:
    """A cell that was made while the provisioner's URL still lacked TLS."""
    url = "postgresql://qb_cell_999:x@/qikbiz_tenants?host=db.example.org&sslmode=prefer"
    sealed = world.settings.keys.seal(CELL_DSN, url.encode(), bound_to="cell_999")
    with connect_to_control(world.settings, autocommit=True) as control:
        control.execute(
            "INSERT INTO cells (name, login, dsn, accepts_new) VALUES ('cell_999', 'qb_cell_999', %s, false)", (sealed,)
        )
        yield "line of cell_999"
        control.execute("DELETE FROM cells WHERE name = 'cell_999'")


def test_sockets_of_this_machine_are_well(world: World) -> None:
    found = [*tls.databases(production(world.settings)), *tls.others(production(world.settings))]
    assert [check.ok for check in found] == [True] * len(found)
    assert found[0].detail == "a local socket"


def test_a_cell_that_is_reached_in_the_clear_is_found(world: World, cell_in_the_clear: str) -> None:
    (bad,) = [check for check in tls.databases(production(world.settings)) if not check.ok]
    assert bad.name == cell_in_the_clear
    assert "sslmode=verify-full" in bad.remedy
    assert all(check.ok for check in tls.databases(world.settings)), "development takes it and only says so"


@pytest.mark.parametrize(
    ("mode", "ssl", "version", "ok"),
    [
        ("verify-full", True, "TLSv1.3", True),
        ("verify-full", True, "TLSv1.2", True),
        ("verify-full", True, "TLSv1.1", False),
        ("require", True, "TLSv1.3", False),
        ("verify-full", False, None, False),
        ("prefer", False, None, False),
    ],
)
def test_a_database_elsewhere_must_speak_tls_and_be_checked(
    world: World, mode: str, ssl: bool, version: str | None, ok: bool
) -> None:
    settings = production(world.settings)
    check = tls._database("line", settings, FAR + mode, speaking(ssl=ssl, version=version))
    assert check.ok is ok
    assert ok or check.remedy.endswith(".")


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"redis_url": "redis://r.example.org/0"}, "line to redis"),
        ({"redis_url": "rediss://r.example.org/0?ssl_cert_reqs=none"}, "line to redis"),
        ({"smtp_url": "smtp://mail.example.org"}, "line to the mail server"),
    ],
)
def test_other_servers_in_the_clear_are_found(world: World, changes: dict[str, str], name: str) -> None:
    (bad,) = [check for check in tls.others(production(world.settings, **changes)) if not check.ok]
    assert bad.name == name
    assert all(check.ok for check in tls.others(replace(world.settings, **changes)))


@pytest.mark.parametrize(
    ("networks", "ok"), [([], False), (["0.0.0.0/0"], False), (["::/0"], False), (["127.0.0.1"], True)]
)
def test_exactly_the_proxy_may_vouch_for_tls(world: World, networks: list[str], ok: bool) -> None:
    trusted = tuple(ip_network(network) for network in networks)
    (check,) = tls.proxy(production(world.settings, trusted_proxies=trusted))
    assert isinstance(check, Check)
    assert check.ok is ok
