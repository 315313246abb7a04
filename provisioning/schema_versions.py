"""Bring one database, or one tenant's schema, to a version: a transaction for each, with the version row in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg import errors, sql

from config.fault_injection import fault
from config.settings import Settings
from provisioning.render import TENANT_ROLE, Migration, index_built_by, migrations
from provisioning.servers import OWNER, Connection, connect_to_control

LOCK_TIMEOUT = "2s"
_CONTROL_LOCK = 0x51_42_03


class MigrationFailed(Exception):
    """One database or schema stays at its version; the text says why."""


@dataclass(frozen=True)
class Place:
    """A tenant's schema, and the role that uses it."""

    tenant_id: UUID
    slug: str
    schema: str
    role: str


def migrate_control(settings: Settings) -> None:
    """Bring the control database to its newest version. Raises MigrationFailed."""
    with connect_to_control(settings) as connection:
        connection.execute("SELECT pg_catalog.pg_advisory_xact_lock(%s)", (_CONTROL_LOCK,))
        applied = _applied(connection)
        for migration in _missing(migrations("control"), applied):
            for statement in migration.statements:
                connection.execute(statement.encode())
            _record(connection, migration)


def migrate_place(connection: Connection, place: Place, chain: Sequence[Migration]) -> str:
    """Apply what `place` lacks, one transaction for each version. Returns its version. Raises MigrationFailed."""
    applied: dict[str, str] = {}
    try:
        with connection.transaction():
            _enter(connection, place)
            applied = _applied(connection)
        for migration in _missing(chain, applied):
            step = _build_indexes if migration.is_concurrent else _apply
            step(connection, place, migration)
    except (errors.LockNotAvailable, errors.DeadlockDetected) as error:
        raise MigrationFailed("a lock was not available in time; run the migration again.") from error
    except psycopg.Error as error:
        raise MigrationFailed(_reason(error)) from error
    return max((*applied, chain[-1].version))


def version_of(connection: Connection, place: Place) -> str:
    """The version in the schema, "" when it can't be read."""
    try:
        with connection.transaction():
            row = connection.execute(
                sql.SQL("SELECT max(version) FROM {}").format(sql.Identifier(place.schema, "schema_version"))
            ).fetchone()
    except psycopg.Error:
        return ""
    return str(row[0]) if row and row[0] else ""


def lock_key(tenant_id: UUID) -> int:
    """The advisory lock for changing this tenant's schema. The later half of a UUIDv7 is its random one."""
    return int.from_bytes(tenant_id.bytes[8:], "big", signed=True)


def _enter(connection: Connection, place: Place) -> None:
    """The owner in the tenant's schema, until the end of the transaction, while no other run migrates it."""
    key = (lock_key(place.tenant_id),)
    row = connection.execute("SELECT pg_catalog.pg_try_advisory_xact_lock(%s)", key).fetchone()
    if row is None or not row[0]:
        raise MigrationFailed("another run is migrating it right now.")
    for statement in (
        sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(OWNER)),
        sql.SQL("SET LOCAL search_path = {}").format(sql.Identifier(place.schema)),
        sql.SQL("SET LOCAL lock_timeout = {}").format(LOCK_TIMEOUT),
    ):
        connection.execute(statement)


def _apply(connection: Connection, place: Place, migration: Migration) -> None:
    with connection.transaction():
        _enter(connection, place)
        for statement in migration.statements:
            connection.execute(statement.replace(TENANT_ROLE, place.role).encode())
        fault("migrate.in_version")
        _record(connection, migration)


def _build_indexes(connection: Connection, place: Place, migration: Migration) -> None:
    """Each index outside of a transaction; one that an earlier run left invalid is built again."""
    connection.autocommit = True
    try:
        connection.execute(sql.SQL("SET search_path = {}").format(sql.Identifier(place.schema)))
        for statement in migration.statements:
            _build_index(connection, place, statement)
    finally:
        connection.execute("RESET search_path")
        connection.autocommit = False
    with connection.transaction():
        _enter(connection, place)
        _record(connection, migration)


def _build_index(connection: Connection, place: Place, statement: str) -> None:
    name = index_built_by(statement)
    found = connection.execute(
        """SELECT i.indisvalid FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
            WHERE c.relname = %s AND c.relnamespace = %s::regnamespace""",
        (name, f'"{place.schema}"'),
    ).fetchone()
    if found is not None and found[0]:
        return
    if found is not None:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(place.schema, str(name))))
    # An index belongs to the owner of its table, not to the role that builds it.
    connection.execute(statement.encode())


def _applied(connection: Connection) -> dict[str, str]:
    """Version → checksum of what the current schema holds; empty before the first migration."""
    row = connection.execute("SELECT to_regclass('schema_version') IS NOT NULL").fetchone()
    if row is None or not row[0]:
        return {}
    return dict(connection.execute("SELECT version, checksum FROM schema_version").fetchall())


def _missing(chain: Sequence[Migration], applied: dict[str, str]) -> list[Migration]:
    for migration in chain:
        if applied.get(migration.version, migration.checksum) != migration.checksum:
            raise MigrationFailed(
                f"version {migration.version} was made from another script than this program's; "
                "`qikbiz doctor` explains how to continue."
            )
    return [migration for migration in chain if migration.version not in applied]


def _record(connection: Connection, migration: Migration) -> None:
    row = (migration.version, migration.checksum)
    connection.execute("INSERT INTO schema_version (version, checksum) VALUES (%s, %s)", row)


def _reason(error: psycopg.Error) -> str:
    # The first line only: DETAIL may quote a row's values.
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
