"""The two PostgreSQL servers: there, new enough, at this program's version."""

from collections.abc import Iterator
from datetime import timedelta

from config.settings import Settings
from provisioning.bootstrap import OLDEST_POSTGRES
from provisioning.doctor.checks import Check
from provisioning.doctor.faults import NO_SLOTS
from provisioning.doctor.homes import HOW_TO_GO_ON
from provisioning.render import migrations
from provisioning.servers import Connection, connect_as_provisioner, connect_to_control
from tenants.schema_version import SERVED

LONGEST_WITHOUT_A_LOOK = timedelta(days=2)
MIGRATE = "Run `qikbiz migrate`."
MOST_OF_THE_CONNECTIONS = 0.9


def control(settings: Settings) -> Iterator[Check]:
    with connect_to_control(settings) as connection:
        yield _server("control database", connection)
        yield _connections(connection)
        yield _temporary_files(connection)


def tenants(settings: Settings) -> Iterator[Check]:
    if settings.provisioner_url:
        with connect_as_provisioner(settings) as connection:
            yield _server("tenants' database", connection)


def versions(settings: Settings) -> Iterator[Check]:
    """The control database must be at the head; a tenant may be one version behind and is then named."""
    with connect_to_control(settings) as connection:
        yield _control_version(connection)
        yield _tenant_versions(connection)


def audits(settings: Settings) -> Iterator[Check]:
    """What the hourly look at every chain has found, and that it takes place."""
    with connect_to_control(settings) as connection:
        question = "SELECT count(*), count(*) FILTER (WHERE problem <> ''), now() - max(at) FROM audit_checks"
        checked, broken, ago = connection.execute(question).fetchone() or (0, 0, None)
        first = connection.execute(
            "SELECT problem FROM audit_checks WHERE problem <> '' ORDER BY at LIMIT 1"
        ).fetchone()
    if broken:
        remedy = "The tenant's page in the console says which. Compare it with a backup before you do anything else."
        yield Check("audits", False, f"{broken} of {checked} were altered: {(first[0] if first else '')}", remedy)
    elif ago is not None and ago > LONGEST_WITHOUT_A_LOOK:
        yield Check(
            "audits",
            False,
            f"not checked for {ago.days} days",
            ("Make sure that the sweeper and the `checks` worker run."),
        )
    else:
        yield Check("audits", True, f"{checked} chains are verified")


def _server(name: str, connection: Connection) -> Check:
    version = connection.info.server_version
    saying = f"PostgreSQL {version // 10000}.{version % 10000}"
    if version < OLDEST_POSTGRES:
        return Check(name, False, saying, "QikBiz needs PostgreSQL 15 or newer: upgrade the server.")
    return Check(name, True, saying)


def _connections(connection: Connection) -> Check:
    row = connection.execute(
        "SELECT count(*), current_setting('max_connections')::int - "
        "current_setting('superuser_reserved_connections')::int FROM pg_stat_activity WHERE backend_type = %s",
        ("client backend",),
    ).fetchone()
    used, most = row or (0, 1)
    is_enough = used < most * MOST_OF_THE_CONNECTIONS
    return Check("connections", is_enough, f"{used} of {most} in use", "" if is_enough else NO_SLOTS)


def _temporary_files(connection: Connection) -> Check:
    (limit,) = connection.execute("SELECT current_setting('temp_file_limit')").fetchone() or ("-1",)
    remedy = "Run `ALTER SYSTEM SET temp_file_limit = '4GB'; SELECT pg_reload_conf();` as a superuser on each server."
    is_set = limit != "-1"
    said = f"{limit} per connection" if is_set else "no limit: a single statement can fill the disk"
    return Check("temporary files", is_set, said, "" if is_set else remedy)


def _control_version(connection: Connection) -> Check:
    name, chain = "control version", migrations("control")
    head = chain[-1].version
    rows = connection.execute("SELECT version, checksum FROM schema_version").fetchall()
    applied: dict[str, str] = {str(version): str(checksum) for version, checksum in rows}
    found = max(applied, default="none")
    ours = {migration.version: migration.checksum for migration in chain}
    if any(applied[version] != ours.get(version, applied[version]) for version in applied):
        return Check(name, False, f"at {found}, created by other scripts than this version's", HOW_TO_GO_ON)
    if found != "none" and found > head:
        return Check(name, False, f"at {found}, newer than this version ({head})", HOW_TO_GO_ON)
    return Check(name, found == head, f"at {found}, this version has {head}", "" if found == head else MIGRATE)


def _tenant_versions(connection: Connection) -> Check:
    name, head = "tenant versions", migrations("tenant")[-1].version
    rows = connection.execute("SELECT slug, version FROM tenants WHERE state IN ('active', 'suspended')").fetchall()
    behind = [slug for slug, version in rows if version != head]
    closed = [slug for slug, version in rows if version not in SERVED]
    if closed:
        return Check(name, False, f"{len(closed)} can't be served: {_some(closed)}", MIGRATE)
    if behind:
        return Check(
            name, True, (f"{len(behind)} of {len(rows)} are one version behind and still served: {_some(behind)}")
        )
    return Check(name, True, f"all {len(rows)} at {head}")


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
