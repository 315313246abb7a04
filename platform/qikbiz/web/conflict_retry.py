"""A request whose transaction lost against another one is done once more: nothing of it was kept."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

from flask import request
from psycopg.errors import DeadlockDetected, SerializationFailure, UniqueViolation
from sqlalchemy.exc import DBAPIError

from qikbiz.web.flash import clear_pending_toasts

TRIES = 3
Result = TypeVar("Result")
logger = logging.getLogger(__name__)


def retry_on_conflict(act: Callable[[], Result]) -> Result:
    """What `act` returns, which opens and ends a transaction. A request with files is not repeated: they are read."""
    for tried in range(1, TRIES):
        try:
            return act()
        except DBAPIError as error:
            if not _is_collision(error.orig) or request.files:
                raise
            logger.info("collision", extra={"tried": tried})
            clear_pending_toasts()
            time.sleep(random.uniform(0.01, 0.1) * tried)
    return act()


def _is_collision(error: BaseException | None) -> bool:
    # Ids are drawn at random: one that is taken was brought by the same form, sent twice at the same moment.
    is_same_form = isinstance(error, UniqueViolation) and (error.diag.constraint_name or "").startswith("pk_")
    return is_same_form or isinstance(error, DeadlockDetected | SerializationFailure)
