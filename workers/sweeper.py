"""`python -m workers.sweeper`: announces every due job to the workers, also what Redis has lost.

Only one works at a time (an advisory lock in the control database); others wait to take over. Two at once, for a
moment, would do no harm: announcing is repeatable, and a claim is won once.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from config.logging import configure_logging
from config.settings import SettingsError, load_settings
from qikbiz.kernel.database import runtime
from tenants.redis import RedisAway
from workers import process
from workers.schedule import start_due_work
from workers.sweep_round import Sweep

LOCK = 0x51_42_53_57  # "QBSW"
HEARTBEAT_KEY = "sweeper"
logger = logging.getLogger(__name__)


class Sweeper:
    """Rounds until a signal ends them."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._stop = threading.Event()
        self._lock: psycopg.Connection[tuple[object, ...]] | None = None
        self._sweep = Sweep()

    def stop(self, *_: object) -> None:
        self._stop.set()

    def run(self) -> None:
        with self._app.app_context():
            pause = runtime().settings.sweep_seconds
            while not self._stop.is_set():
                try:
                    self.round()
                except (SQLAlchemyError, psycopg.Error) as error:
                    logger.warning("round_failed", extra={"reason": type(error).__name__})
                self._stop.wait(pause)

    def round(self) -> bool:
        """One look at everything. False while another sweeper holds the lock."""
        if not self._is_ours():
            return False
        started = time.monotonic()
        start_due_work()
        announced = self._sweep.round()
        self._show(announced, time.monotonic() - started)
        return True

    def _is_ours(self) -> bool:
        try:
            if self._lock is None:
                settings = runtime().settings
                self._lock = psycopg.connect(
                    settings.control_url, autocommit=True, connect_timeout=5, application_name="qikbiz-sweeper"
                )
            # Asked again each round, which also notices a lost connection; the same session may take it repeatedly.
            row = self._lock.execute(
                "SELECT exists(SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory') "
                "OR pg_try_advisory_lock(%s)",
                (LOCK,),
            ).fetchone()
        except psycopg.Error:
            self._lock = None
            raise
        return bool(row and row[0])

    def _show(self, announced: int, seconds: float) -> None:
        values: dict[Any, Any] = {"at": int(time.time()), "pid": os.getpid(), "announced": announced}
        values["ms"] = int(seconds * 1000)
        values["figures"] = self._sweep.figures.as_json()
        store = runtime().redis
        try:
            with store.client() as client:
                key = store.platform_key(HEARTBEAT_KEY)
                client.hset(key, mapping=values)
                client.expire(key, 60)
        except RedisAway:
            logger.warning("redis_away")


def main() -> int:
    try:
        settings = load_settings()
    except SettingsError as refusal:
        print(refusal, file=sys.stderr)
        return 2
    configure_logging("sweeper", settings.log_level)
    sweeper = Sweeper(process.start(settings, "sweeper"))
    signal.signal(signal.SIGTERM, sweeper.stop)
    signal.signal(signal.SIGINT, sweeper.stop)
    sweeper.run()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
