"""A thread beside the job that renews its lease and writes its progress, on a connection of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress

import psycopg

from qikbiz.jobs.lease_state import LeaseState
from qikbiz.jobs.ledger import Claim
from tenants.context import Tenant, tenant_context
from workers import lease_watch

SECONDS_BETWEEN_PROGRESS = 0.5
# How soon a job that says nothing notices that it was cancelled.
SECONDS_BETWEEN_LOOKS = 2.0
logger = logging.getLogger(__name__)

Connect = Callable[[], "psycopg.Connection"]


class Heartbeat:
    """Beats until stopped. A database that is away is not the end: the token decides at the commit, not the beat."""

    def __init__(self, claimed: Claim, tenant: Tenant | None, connect: Connect, lease_seconds: float) -> None:
        self.state = LeaseState()
        self._claim = claimed
        self._tenant = tenant
        self._table = "jobs" if tenant else "platform_jobs"
        self._connect = connect
        self._lease = lease_seconds
        self._written: tuple[int, int | None, str] | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Heartbeat:
        lease_watch.extend(self._lease)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=2)
        lease_watch.extend(lease_watch.SECONDS_TO_CLAIM)

    def _beat(self) -> None:
        with self._inside():
            connection: psycopg.Connection | None = None
            waited = 0.0
            while not (self._stop.wait(min(SECONDS_BETWEEN_PROGRESS, self._lease / 4)) or self.state.is_lost):
                waited += SECONDS_BETWEEN_PROGRESS
                if self.state.progress == self._written and waited < min(self._lease / 4, SECONDS_BETWEEN_LOOKS):
                    continue
                try:
                    connection = connection or self._connect()
                    self._renew(connection)
                    waited = 0.0
                except psycopg.Error as error:
                    logger.warning("heartbeat_failed", extra={"reason": type(error).__name__})
                    _close(connection)
                    connection = None
                if not self.state.is_lost:
                    # Also while the database is away: this process is well, and no other one could do the job.
                    lease_watch.extend(self._lease)
            _close(connection)

    def _renew(self, connection: psycopg.Connection) -> None:
        shown = self.state.progress
        done, total, note = shown or (None, None, None)
        mine = (self._claim.job_id, self._claim.token)
        renewed = connection.execute(
            f"UPDATE {self._table} SET lease_until = clock_timestamp() + make_interval(secs => %s), "
            "progress_done = coalesce(%s, progress_done), progress_total = coalesce(%s, progress_total), "
            "progress_note = coalesce(%s, progress_note) WHERE id = %s AND token = %s AND state = 'running'",
            (self._lease, done, total, note, *mine),
        ).rowcount
        if renewed == 0:
            state = connection.execute(f"SELECT state FROM {self._table} WHERE id = %s", mine[:1]).fetchone()
            self.state.is_cancelled = state == ("cancelled",)
            self.state.is_lost = True
            self._interrupt()
        connection.commit()
        self._written = shown

    def _interrupt(self) -> None:
        interrupt = self.state.interrupt
        if interrupt is not None:
            with suppress(psycopg.Error):
                interrupt()

    def _inside(self) -> AbstractContextManager[object]:
        # A thread starts in an empty context, so the tenant is entered here once more.
        return tenant_context(self._tenant) if self._tenant else nullcontext()


def _close(connection: psycopg.Connection | None) -> None:
    if connection is not None:
        with suppress(psycopg.Error):
            connection.close()
