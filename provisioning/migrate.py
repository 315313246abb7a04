"""Bring the control database and every tenant's schema to this program's version.

One transaction for each version of each tenant, with the version row inside the tenant's schema, so that a run which is
killed leaves every tenant wholly at one version. One tenant's failure stops nobody; the next run goes on from there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import UUID

import psycopg
from psycopg import errors, sql

from config.faults import fault
from config.settings import Settings
from provisioning.render import TENANT_ROLE, Migration, index_built_by, migrations
from provisioning.servers import OWNER, Connection, connect_as_provisioner, connect_to_control

Progress = Callable[[int, int, str], None]
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


@dataclass
class MigrationReport:
    """`done` counts tenants brought to `head` now, `skipped` those that were there already or are another run's."""

    head: str
    done: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    skipped: int = 0
    seconds: float = 0.0


def migrate_everything(
    settings: Settings,
    jobs: int = 2,
    tenant: str | None = None,
    progress: Progress | None = None,
    stop_after_failures: int | None = None,
) -> MigrationReport:
    """Migrate the control database, then the tenants (or just `tenant`, by slug), `jobs` at a time.

    `progress(done, total, slug)` is called after each tenant. With `stop_after_failures` no further tenant is begun
    once so many have failed.
    """
    started = time.monotonic()
    migrate_control(settings)
    chain = migrations("tenant")
    waiting, current = _list_waiting(settings, chain[-1].version, tenant)
    run = _Run(settings, chain, waiting, progress, stop_after_failures)
    with ThreadPoolExecutor(max(1, min(jobs, len(waiting) or 1)), thread_name_prefix="migrate") as threads:
        for finished in [threads.submit(run.work) for _ in range(max(1, min(jobs, len(waiting))))]:
            finished.result()
    run.report.skipped += current + len(run.waiting)
    run.report.failed.sort()
    run.report.seconds = round(time.monotonic() - started, 3)
    return run.report


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
        raise MigrationFailed("a lock was not free in time; run the migration again.") from error
    except psycopg.Error as error:
        raise MigrationFailed(_reason(error)) from error
    return max((*applied, chain[-1].version))


def lock_key(tenant_id: UUID) -> int:
    """The advisory lock of whoever changes this tenant's schema. The later half of a UUIDv7 is its random one."""
    return int.from_bytes(tenant_id.bytes[8:], "big", signed=True)


class _Run:
    """What the threads of one run share."""

    def __init__(
        self,
        settings: Settings,
        chain: Sequence[Migration],
        waiting: list[Place],
        progress: Progress | None,
        stop_after_failures: int | None,
    ) -> None:
        self.waiting = waiting
        self.report = MigrationReport(chain[-1].version)
        self._settings = settings
        self._chain = chain
        self._total = len(waiting)
        self._finished = 0
        self._progress = progress
        self._stop_after = stop_after_failures
        self._lock = threading.Lock()

    def work(self) -> None:
        """Take tenants until none is left. Connections of its own, closed after: a backend never gives memory back."""
        if not self.waiting:
            return
        with connect_to_control(self._settings) as control, connect_as_provisioner(self._settings) as tenants:
            while (place := self._next()) is not None:
                self._finish(place, *_migrate_claimed(control, tenants, place, self._chain))

    def _next(self) -> Place | None:
        with self._lock:
            if self._stop_after is not None and len(self.report.failed) >= self._stop_after:
                return None
            return self.waiting.pop(0) if self.waiting else None

    def _finish(self, place: Place, is_ours: bool, reason: str | None) -> None:
        with self._lock:
            self._finished += 1
            if not is_ours:
                self.report.skipped += 1
            elif reason is None:
                self.report.done += 1
            else:
                self.report.failed.append((place.slug, reason))
            if self._progress is not None:
                self._progress(self._finished, self._total, place.slug)


def _list_waiting(settings: Settings, head: str, slug: str | None) -> tuple[list[Place], int]:
    question = """
        SELECT id, slug, schema_name, role_name, version FROM tenants
         WHERE state IN ('active', 'suspended', 'closing') AND (%s::text IS NULL OR slug = %s) ORDER BY created_at, id
    """
    with connect_to_control(settings) as control:
        rows = control.execute(question, (slug, slug)).fetchall()
        waiting = [Place(*row[:4]) for row in rows if row[4] < head]
        ask = """INSERT INTO tenant_migrations (tenant_id, target, state, attempt) VALUES (%s, %s, 'waiting', 0)
                 ON CONFLICT DO NOTHING"""
        control.cursor().executemany(ask, [(place.tenant_id, head) for place in waiting])
    if slug is not None and not rows:
        raise MigrationFailed(f"There is no organisation {slug!r} to migrate.")
    return waiting, len(rows) - len(waiting)


def _migrate_claimed(
    control: Connection, tenants: Connection, place: Place, chain: Sequence[Migration]
) -> tuple[bool, str | None]:
    """Whether the claim was ours, and why it failed. The claim is a row lock, so it ends with us, however we end."""
    head, started = chain[-1].version, time.monotonic()
    with control.transaction():
        claim = """SELECT FROM tenant_migrations WHERE tenant_id = %s AND target = %s AND state <> 'done'
                   FOR UPDATE SKIP LOCKED"""
        if control.execute(claim, (place.tenant_id, head)).fetchone() is None:
            return False, None
        try:
            version, reason = migrate_place(tenants, place, chain), None
        except MigrationFailed as failure:
            version, reason = _version_of(tenants, place), str(failure)
        fault("migrate.before_mirror")
        _mirror(control, place, head, version, reason, milliseconds=int((time.monotonic() - started) * 1000))
    return True, reason


def _mirror(
    control: Connection, place: Place, head: str, version: str, reason: str | None, *, milliseconds: int
) -> None:
    control.execute(
        """UPDATE tenant_migrations SET state = %s, error = %s, milliseconds = %s, attempt = attempt + 1, at = now()
            WHERE tenant_id = %s AND target = %s""",
        ("failed" if reason else "done", reason or "", milliseconds, place.tenant_id, head),
    )
    control.execute(
        """WITH raised AS (UPDATE directory_state SET version = version + 1 RETURNING version)
           UPDATE tenants SET version = %s, directory_version = raised.version FROM raised WHERE id = %s""",
        (version, place.tenant_id),
    )


def _enter(connection: Connection, place: Place) -> None:
    """The owner in the tenant's schema, until the end of the transaction, and nobody else migrating it meanwhile."""
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
    # An index belongs to the owner of its table, whoever builds it.
    connection.execute(statement.encode())


def _applied(connection: Connection) -> dict[str, str]:
    """Version → checksum of what stands in the schema at hand; empty before the first migration."""
    row = connection.execute("SELECT to_regclass('schema_version') IS NOT NULL").fetchone()
    if row is None or not row[0]:
        return {}
    return dict(connection.execute("SELECT version, checksum FROM schema_version").fetchall())


def _missing(chain: Sequence[Migration], applied: dict[str, str]) -> list[Migration]:
    for migration in chain:
        if applied.get(migration.version, migration.checksum) != migration.checksum:
            raise MigrationFailed(f"version {migration.version} was made from another script than this program's.")
    return [migration for migration in chain if migration.version not in applied]


def _record(connection: Connection, migration: Migration) -> None:
    row = (migration.version, migration.checksum)
    connection.execute("INSERT INTO schema_version (version, checksum) VALUES (%s, %s)", row)


def _version_of(connection: Connection, place: Place) -> str:
    """The version that stands in the schema, "" when it can't be read."""
    try:
        with connection.transaction():
            row = connection.execute(
                sql.SQL("SELECT max(version) FROM {}").format(sql.Identifier(place.schema, "schema_version"))
            ).fetchone()
    except psycopg.Error:
        return ""
    return str(row[0]) if row and row[0] else ""


def _reason(error: psycopg.Error) -> str:
    # The first line only: DETAIL may quote a row's values.
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
