"""The application of a worker, made once before it forks a process for each job. It holds no connection."""

from __future__ import annotations

import gc
import logging

import psycopg
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from config.settings import Settings
from qikbiz.app.preloaded import application as application_of_process
from qikbiz.jobs import ledger
from qikbiz.jobs.models import PlatformJob
from qikbiz.kernel.database import control_transaction, runtime
from tenants.control import new_id

_app: Flask | None = None
_is_warm = False
logger = logging.getLogger(__name__)


def start(settings: Settings, name: str) -> Flask:
    global _app  # noqa: PLW0603  # one for each process, for the function that RQ calls by name
    _app = application_of_process(settings, process=name)
    warm_up(_app)
    # Loaded modules stay: excluded from collections, their memory pages stay shared with the forked processes.
    gc.freeze()
    return _app


def warm_up(app: Flask) -> None:
    """Work out once, before processes are forked, what each would at its first job: 15 ms of the 45 until it begins.

    That is what the database's driver asks a server that it meets, and the SQL of a claim. No connection stays open.
    """
    global _is_warm  # noqa: PLW0603  # one for each process, and for those forked from it
    if _is_warm:
        return
    with app.app_context():
        try:
            with control_transaction() as session:
                ledger.kind_of(session, PlatformJob, unknown := new_id())
                ledger.claim(session, PlatformJob, unknown, lease_seconds=1)
            _is_warm = True
        except (SQLAlchemyError, psycopg.Error) as error:
            logger.info("not_warmed_up", extra={"reason": type(error).__name__})
        finally:
            runtime().control.dispose()


def application() -> Flask:
    if _app is None:
        raise RuntimeError("This process was not started as a worker.")
    return _app
