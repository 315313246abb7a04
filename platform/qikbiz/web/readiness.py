"""What this process needs to serve pages. While all is well it is checked twice a second at most."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock

import psycopg
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from config.keys import SealBroken
from qikbiz.kernel.database import runtime
from tenants.cells import UnknownCell
from tenants.control import Cell
from tenants.directory import DirectoryAway
from tenants.redis import RedisAway

SECONDS_KEPT = 0.5
# Without these no page is served; without Redis the durable rows of Postgres answer.
NEEDED = ("control", "directory", "tenants")


class Readiness:
    """The last answers of one process. A bad one is never kept: the next request checks again."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._checks: dict[str, bool] = {}
        self._asked_at = 0.0

    def checks(self) -> dict[str, bool]:
        with self._lock:
            if not all(self._checks.values()) or time.monotonic() - self._asked_at > SECONDS_KEPT:
                self._checks = {name: ask() for name, ask in ASKED.items()}
                self._asked_at = time.monotonic()
            return dict(self._checks)


def control_answers() -> bool:
    try:
        with runtime().control.connect() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return False
    return True


def directory_is_known() -> bool:
    """Whether this process knows which tenants there are."""
    try:
        runtime().directory.ensure_fresh()
    except (DirectoryAway, SQLAlchemyError):
        return False
    return True


def tenants_answer() -> bool:
    """Whether a cell's login, opened with our keys, gets into the tenants' database."""
    try:
        with runtime().control.connect() as connection:
            name = connection.execute(select(Cell.name).order_by(Cell.name).limit(1)).scalar()
        if name is None:
            return False
        runtime().cells.connect(name).close()
    except (SQLAlchemyError, psycopg.Error, SealBroken, UnknownCell):
        return False
    return True


def redis_answers() -> bool:
    try:
        with runtime().redis.client() as client:
            return bool(client.ping())
    except RedisAway:
        return False


ASKED: dict[str, Callable[[], bool]] = {
    "control": control_answers,
    "directory": directory_is_known,
    "tenants": tenants_answer,
    "redis": redis_answers,
}
