"""From a Host header to a tenant: one function, no fallback, fresh everywhere within a second, free when warm."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from config.settings import Settings
from provisioning import tenants as acts
from provisioning.servers import connect_to_control
from tenants.context import Tenant
from tenants.directory import Directory, DirectoryAway, normalise_host
from tenants.runtime import Runtime
from tests.fixtures.servers import Servers
from tests.fixtures.world import World


@pytest.fixture
def directory(world: World) -> Iterator[Directory]:
    runtime = Runtime(world.settings, process="directory-test")
    yield runtime.directory
    runtime.dispose()


@pytest.mark.parametrize(
    ("header", "host"),
    [
        ("acme.localhost", "acme.localhost"),
        ("ACME.LocalHost", "acme.localhost"),
        ("acme.localhost:8000", "acme.localhost"),
        ("acme.localhost:", "acme.localhost"),
        ("acme.localhost.", "acme.localhost"),
        ("acme.localhost.:8000", "acme.localhost"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("127.0.0.1", "127.0.0.1"),
        (None, None),
        ("", None),
        (" acme.localhost", None),
        ("acme.localhost\n", None),
        ("acme..localhost", None),
        ("acme.localhost..", None),
        (".acme.localhost", None),
        ("acme.localhost:80:80", None),
        ("acme.localhost:eighty", None),
        ("acme.localhost:٣", None),
        ("[::1]", None),
        ("[::1]:8000", None),
        ("acme_corp.localhost", None),
        ("-acme.localhost", None),
        ("acme.localhost/x", None),
        ("user@acme.localhost", None),
        ("acme.localhost,globex.localhost", None),
        ("acme%2elocalhost", None),
        ("ac\x00me.localhost", None),
        ("a" * 64 + ".localhost", None),
        ("a." * 200 + "localhost", None),
        ("\ud800.localhost", None),
    ],
)
def test_a_host_header_is_read_as_one_name_or_none(header: str | None, host: str | None) -> None:
    assert normalise_host(header) == host


@pytest.mark.parametrize(
    ("header", "surface"),
    [
        ("localhost:8000", "site"),
        ("www.localhost", "site"),
        ("console.localhost:8000", "console"),
        ("CONSOLE.localhost.", "console"),
        ("acme.localhost:8000", "tenant"),
        ("Acme.Localhost.:1", "tenant"),
        ("nobody.localhost", "unknown"),
        ("deep.acme.localhost", "unknown"),
        ("acme.localhost.example.com", "unknown"),
        ("acme", "unknown"),
        ("acme.example.com", "unknown"),
        ("127.0.0.1:8000", "unknown"),
        ("[::1]:8000", "unknown"),
        ("\u0430cme.localhost", "unknown"),  # with a Cyrillic letter
        ("", "unknown"),
    ],
)
def test_a_host_leads_to_exactly_one_place(directory: Directory, header: str, surface: str) -> None:
    found = directory.resolve(header)
    assert found.surface == surface
    assert (found.tenant is not None) == (surface == "tenant")
    assert found.tenant is None or found.tenant.slug == "acme"


def test_a_domain_of_its_own_leads_to_the_tenant_only_once_it_is_verified(
    world: World, directory: Directory, fresh_tenant: Callable[..., Tenant]
) -> None:
    tenant = fresh_tenant("Domained")
    host = f"crm.{tenant.slug}.example.org"
    add_domain(world.settings, tenant, host, verified=False)
    directory.resolve("localhost")
    directory.look()
    assert directory.resolve(host).surface == "unknown"
    verify_domain(world.settings, tenant, host)
    directory.look()
    assert directory.resolve(host.upper()).tenant == directory.resolve(tenant.host).tenant != None  # noqa: E711


def test_a_warm_request_asks_the_control_database_nothing(world: World) -> None:
    runtime = Runtime(world.settings, process="warm")
    runtime.directory.resolve("acme.localhost")
    runtime.directory.stop()  # the watcher looks outside of any request
    time.sleep(0.5)
    asked: list[str] = []
    event.listen(runtime.control, "before_cursor_execute", lambda *call: asked.append(call[2]))
    for header in ("acme.localhost", "globex.localhost:8000", "nobody.localhost", "console.localhost", "localhost"):
        runtime.directory.resolve(header)
    assert asked == []
    runtime.dispose()


OTHER_PROCESS = """
import sys, time
from pathlib import Path
from tests.fixtures.servers import settings_for
from tenants.runtime import Runtime
runtime = Runtime(settings_for(Path(sys.argv[1])))
while True:
    tenant = runtime.directory.resolve(sys.argv[2]).tenant
    print(time.time(), tenant.state if tenant else "unknown", flush=True)
    time.sleep(0.02)
"""


@pytest.mark.parametrize("redis", ["there", "killed"])
def test_a_change_is_felt_in_another_process_within_a_second(
    world: World, servers: Servers, fresh_tenant: Callable[..., Tenant], redis: str
) -> None:
    tenant = fresh_tenant("Felt")
    if redis == "killed":
        servers.valkey.kill()
    try:
        with OtherProcess(servers.home, tenant.host) as other:
            other.wait_for("active")
            for act, state in (
                (lambda: acts.suspend(world.settings, tenant.slug, "unpaid"), "suspended"),
                (lambda: acts.resume(world.settings, tenant.slug), "active"),
                (
                    lambda: acts.rename(world.settings, tenant.slug, new_slug=f"{tenant.slug}-x", new_name=None),
                    "unknown",
                ),
            ):
                act()
                acted = time.time()
                assert other.wait_for(state) - acted < 1.0
    finally:
        servers.valkey.start()


class OtherProcess:
    """Another process that says, fifty times a second, what it would answer."""

    def __init__(self, home: Path, host: str) -> None:
        self._command = [sys.executable, "-c", OTHER_PROCESS, str(home), host]

    def __enter__(self) -> "OtherProcess":
        environment = {"PYTHONPATH": "platform:.", "PATH": ""}
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True, env=environment)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def wait_for(self, state: str) -> float:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            at, _, said = line.strip().partition(" ")
            if said == state:
                return float(at)
        raise AssertionError(f"the other process ended before it said {state}")


def test_the_directory_lives_through_a_control_database_that_is_away_for_a_while(world: World) -> None:
    settings = world.settings
    runtime = Runtime(settings, process="away")
    assert runtime.directory.resolve("acme.localhost").surface == "tenant"
    runtime.directory.stop()
    runtime.directory._engine = Runtime(_elsewhere(settings)).control
    runtime.directory.look()
    assert runtime.directory.resolve("acme.localhost").surface == "tenant"
    # For too long: Acme may have been suspended meanwhile.
    runtime.directory._looked_at -= 120
    with pytest.raises(DirectoryAway):
        runtime.directory.resolve("acme.localhost")
    runtime.dispose()


def test_a_process_that_starts_without_the_control_database_sends_nobody_anywhere(world: World) -> None:
    runtime = Runtime(_elsewhere(world.settings))
    with pytest.raises(DirectoryAway):
        runtime.directory.resolve("acme.localhost")
    assert runtime.directory.resolve("localhost").surface == "site"
    runtime.dispose()


def _elsewhere(settings: Settings) -> Settings:
    from dataclasses import replace

    return replace(settings, control_url="postgresql://nobody@/nothing?host=/nowhere")


def add_domain(settings: Settings, tenant: Tenant, host: str, *, verified: bool) -> None:
    with connect_to_control(settings) as control:
        control.execute(
            "INSERT INTO domains (host, tenant_id, verified_at) VALUES (%s, %s, CASE WHEN %s THEN now() END)",
            (host, tenant.id, verified),
        )
        _touch(control, tenant)


def verify_domain(settings: Settings, tenant: Tenant, host: str) -> None:
    with connect_to_control(settings) as control:
        control.execute("UPDATE domains SET verified_at = now() WHERE host = %s", (host,))
        _touch(control, tenant)


def _touch(control: object, tenant: Tenant) -> None:
    control.execute(  # type: ignore[attr-defined]  # a psycopg connection
        """WITH raised AS (UPDATE directory_state SET version = version + 1 RETURNING version)
           UPDATE tenants SET directory_version = raised.version FROM raised WHERE id = %s""",
        (tenant.id,),
    )
