"""Searches that stay quick whatever they find.

A word that few rows have is found through the full-text index. A word that most rows have, such as the beginning of
everybody's address, would first collect all of them only to show fifty: there it is quicker to walk the list in its
order and leave out the few rows that don't fit. The planner can't know the beginnings of words, so the first way gets
a moment, and the second is taken when that was not enough. Both give the same rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from tenants.context import current_entry

Found = TypeVar("Found")
A_MOMENT_MS = 250
_CANCELLED = "57014"


def search_with_fallback(session: Session, look: Callable[[], Found]) -> Found:
    """What `look` finds, the second time walking the order's index if the first takes too long."""
    attempt = session.begin_nested()
    try:
        _set(session, f"statement_timeout = {A_MOMENT_MS}")
        found = look()
        _set(session, f"statement_timeout = {current_entry().statement_timeout_ms}")
        attempt.commit()
    except OperationalError as error:
        attempt.rollback()
        if getattr(error.orig, "sqlstate", None) != _CANCELLED:
            raise
        return _walk(session, look)
    return found


def _walk(session: Session, look: Callable[[], Found]) -> Found:
    _set(session, "enable_bitmapscan = off")
    found = look()
    _set(session, "enable_bitmapscan = on")
    return found


def _set(session: Session, setting: str) -> None:
    # SET LOCAL: gone at the end of the transaction whatever happens.
    session.connection().execute(text(f"SET LOCAL {setting}"))
