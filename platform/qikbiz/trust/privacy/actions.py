"""Announcing a version of the statement, and withdrawing an announcement. Both inside `control_transaction()`.

What is allowed is decided by the database (provisioning/notary): this login can neither choose the moment nor write a
day that is too early.
"""

from __future__ import annotations

from datetime import date

from flask import Flask
from psycopg import Error as PostgresError
from sqlalchemy import TextClause, text
from sqlalchemy.exc import DBAPIError

from qikbiz.audit.actions import record_on_platform
from qikbiz.jobs.actions import enqueue_platform
from qikbiz.kernel.actors import current_actor
from qikbiz.kernel.database import after_commit, application, db
from qikbiz.kernel.errors import Conflict, Failure
from qikbiz.trust.privacy.queries import invalidate_standing
from qikbiz.trust.privacy.text import StatementFile

_ANNOUNCE = text("SELECT notices.announce(:version, :body, :material, :effective_on, :by)")
_WITHDRAW = text("SELECT notices.withdraw(:version, :by, :why)")
LONGEST_REASON = 500


class TooEarly(Failure):
    """The chosen day leaves less than thirty business days."""

    status = 422


def announce(file: StatementFile, effective_on: date) -> date:
    """Announce this very text now. Returns the day on which it takes effect. Raises TooEarly and Conflict."""
    values = {"version": file.version, "body": file.text.source, "material": file.material}
    granted: date = _asked(_ANNOUNCE, values | {"effective_on": effective_on, "by": current_actor().name})
    details = {"effective_on": granted.isoformat(), "sha256": file.text.sha256, "material": file.material}
    record_on_platform("statement.announced", subject=f"Version {file.version}", details=details)
    _notify_tenants(file.version, "announced")
    enqueue_platform("statements.probe", {}, dedupe_key=f"statement {file.version} first look")
    return granted


def withdraw(version: int, reason: str) -> None:
    """Withdraw an announcement before it takes effect. Raises Conflict."""
    why = " ".join(reason.split())
    if not why:
        raise Failure("Enter a reason. It is shown next to the version.")
    _asked(_WITHDRAW, {"version": version, "by": current_actor().name, "why": why[:LONGEST_REASON]})
    record_on_platform("statement.withdrawn", subject=f"Version {version}", details={"reason": why[:LONGEST_REASON]})
    _notify_tenants(version, "withdrawn")


def record_probe(version: int, *, stood: bool, page_sha256: str, remark: str) -> None:
    """Record what the probe saw. The database adds the moment."""
    statement = text(
        "INSERT INTO notices.watch (version, stood, page_sha256, remark) VALUES (:v, :stood, :page, :remark)"
    )
    db.control.execute(statement, {"v": version, "stood": stood, "page": page_sha256, "remark": remark[:300]})


def _notify_tenants(version: int, what: str) -> None:
    """Have the administrators of every tenant notified, once the transaction is committed."""
    key = f"statement {version} {what}"
    arguments = {"kind": "statements.notify", "key": key, "arguments": {"version": version, "what": what}}
    enqueue_platform("jobs.enqueue_for_tenants", arguments, dedupe_key=key)
    # The pages of this process show it at once, those of others within a few seconds.
    app = application()
    after_commit(db.control(), lambda: _invalidate(app))


def _invalidate(app: Flask) -> None:
    with app.app_context():
        invalidate_standing()


def _asked(question: TextClause, values: dict[str, object]) -> date:
    session = db.control()
    try:
        with session.begin_nested():
            found: date = session.execute(question, values).scalar_one()
            return found
    except DBAPIError as error:
        if isinstance(error.orig, PostgresError) and (error.orig.sqlstate or "").startswith("QB"):
            refusal = TooEarly if error.orig.sqlstate == "QB002" else Conflict
            raise refusal(str(error.orig.diag.message_primary)) from error
        raise
