"""What the notary says about the time in which a customer can take everything out. All inside `control_transaction()`.

The notary (provisioning/notary) takes every moment from the database's own clock and only adds to its log, so that no
row that this program writes can make the thirty days shorter. Each function raises Conflict with the notary's sentence.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Error as PostgresError
from sqlalchemy import Row, text
from sqlalchemy.exc import DBAPIError

from qikbiz.kernel.database import db
from qikbiz.kernel.errors import Conflict

_BEGIN = "SELECT begun_at, notices.kept_until(closing) FROM notices.retrievals WHERE closing = :closing"


def begin_retrieval(closing_id: UUID, tenant_id: UUID, days: int) -> tuple[datetime, datetime]:
    """The time begins now. Returns since when, and until when everything is kept."""
    _asked("SELECT notices.begin_retrieval(:closing, :tenant, :days)", closing=closing_id, tenant=tenant_id, days=days)
    begun_at, kept_until = _asked(_BEGIN, closing=closing_id)
    return begun_at, kept_until


def extend_retrieval(closing_id: UUID, until: datetime) -> None:
    """Keep everything until later than was promised."""
    _asked("SELECT notices.extend_retrieval(:closing, :until)", closing=closing_id, until=until)


def warn_of_erasure(closing_id: UUID) -> None:
    """The last warning goes out in this transaction; nothing is erased within a day of it."""
    _asked("SELECT notices.warn_of_erasure(:closing)", closing=closing_id)


def cancel_retrieval(closing_id: UUID) -> None:
    """The customer stays. Nothing happens where no time is running."""
    _asked("SELECT notices.cancel_retrieval(:closing)", closing=closing_id)


def may_erase(tenant_id: UUID) -> bool:
    """Whether this tenant had all of its time, and its warning."""
    return bool(_asked("SELECT notices.may_erase(:tenant)", tenant=tenant_id)[0])


def _asked(question: str, **values: object) -> Row[*tuple[Any, ...]]:
    session = db.control()
    try:
        with session.begin_nested():
            return session.execute(text(question), values).one()
    except DBAPIError as error:
        if isinstance(error.orig, PostgresError) and (error.orig.sqlstate or "").startswith("QB"):
            raise Conflict(str(error.orig.diag.message_primary)) from error
        raise
