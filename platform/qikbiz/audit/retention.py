"""How long an organisation keeps its audit. What is older is cut off once a day, by the schema's owner."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from qikbiz.audit.actions import record
from qikbiz.audit.models import AuditKeeping
from qikbiz.kernel.clock import now
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import Failure

# Months; None is for ever. Nothing below a year: that a user looked where they should not often comes up only then,
# and who wants to hide something could otherwise have it cut off.
CHOICES = (None, 12, 18, 24, 36, 60, 84, 120)


def set_keeping(wanted: str) -> int | None:
    """Keep the audit for so many months, "" for ever. Raises Failure for what is no choice."""
    texts = {"" if months is None else str(months): months for months in CHOICES}
    if wanted not in texts:
        raise Failure(f"“{wanted[:20]}” isn't a valid option. Reload the page.")
    months = texts[wanted]
    before = db.session.scalar(select(AuditKeeping.months))
    if months != before:
        values = {"months": months, "set_at": now()}
        statement = insert(AuditKeeping).values(id=1, **values)
        db.session.execute(statement.on_conflict_do_update(index_elements=[AuditKeeping.id], set_=values))
        record("audit.keeping_set", details={"changes": {"kept": [how_long(before), how_long(months)]}})
    return months


def how_long(months: int | None) -> str:
    """`for ever`, `for 18 months`, `for 2 years`."""
    if months is None:
        return "forever"
    if months % 12:
        return f"for {months} months"
    years = months // 12
    return "for 1 year" if years == 1 else f"for {years} years"
