"""Bring the control database and every tenant's schema to this program's version.

One transaction for each version of each tenant, with the version row inside the tenant's schema, so that a run which is
killed leaves every tenant wholly at one version. One tenant's failure stops no other; the next run goes on from there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from config.fault_injection import fault
from config.settings import Settings
from provisioning.erase_tenant import close_what_came_back
from provisioning.render import Migration, migrations
from provisioning.schema_versions import MigrationFailed, Place, migrate_control, migrate_place, version_of
from provisioning.servers import Connection, connect_as_provisioner, connect_to_control

Progress = Callable[[int, int, str], None]


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
    # A restored back-up must not make an erased tenant active again.
    close_what_came_back(settings)
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
        raise MigrationFailed(f"There is no tenant {slug!r} to migrate.")
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
            version, reason = version_of(tenants, place), str(failure)
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
