"""What is deleted of addresses in a tenant, and when (promise P5). The table's policies allow nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Date, cast, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from qikbiz.kernel import clock
from qikbiz.security.access_log.models import AccessCount, AccessEvent

# The first is shown on pages as "30 days", the second as "12 months".
ADDRESS_KEPT = timedelta(days=30)
PREFIX_KEPT = timedelta(days=365)


def clear_expired_addresses(session: Session, *, now: datetime | None = None) -> int:
    """Empty addresses after 30 days; after a year count the rows and let them go. Returns how many addresses went."""
    moment = now or clock.now()
    _count_and_delete(session, moment - PREFIX_KEPT)
    emptied = session.execute(
        update(AccessEvent)
        .where(AccessEvent.at < moment - ADDRESS_KEPT, AccessEvent.address.is_not(None))
        .values(address=None)
        .execution_options(synchronize_session=False)
    )
    return int(getattr(emptied, "rowcount", 0))


def _count_and_delete(session: Session, before: datetime) -> None:
    day = cast(func.timezone("UTC", AccessEvent.at), Date)
    old = AccessEvent.at < before
    counted = select(day, AccessEvent.kind, AccessEvent.outcome, func.count()).where(old)
    counted = counted.group_by(day, AccessEvent.kind, AccessEvent.outcome)
    adding = insert(AccessCount).from_select(["day", "kind", "outcome", "events"], counted)
    session.execute(
        adding.on_conflict_do_update(
            index_elements=["day", "kind", "outcome"], set_={"events": AccessCount.events + adding.excluded.events}
        )
    )
    session.execute(delete(AccessEvent).where(old).execution_options(synchronize_session=False))
