"""What operators do about closings: see to the payment, give more time, take back one that they began.

Beginning one takes two of them (console/closures.py); making one shorter nobody can.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from qikbiz.kernel import clock
from qikbiz.kernel.database import db, runtime
from qikbiz.kernel.errors import Conflict, Failure, NotFound
from qikbiz.trust.account_closure import events, notary
from qikbiz.trust.account_closure.actions import advance_soon, cancel_as
from qikbiz.trust.account_closure.emails import recipients_of
from qikbiz.trust.account_closure.models import Closing
from qikbiz.trust.account_closure.state_machine import DAY_BEFORE, WEEK_BEFORE
from tenants.control import TenantRecord
from tenants.directory import read_tenant, touch_directory

MOST_MORE = timedelta(days=365)


def give_more_time(closing_id: UUID, until: str, reason: str) -> Closing:
    """Erase no earlier than at the end of the day `until` (UTC). Only ever later than now planned."""
    found = db.control.get(Closing, closing_id)
    if found is None:
        raise NotFound
    record = db.control.get_one(TenantRecord, found.tenant_id, with_for_update=True)
    closing = db.control.get_one(Closing, closing_id, with_for_update=True, populate_existing=True)
    if closing.state != "read_only" or closing.erase_after is None:
        raise Conflict("The period can be extended only while the account is read-only.")
    if not reason.strip():
        raise Failure("Enter a reason. It is recorded in both audits.")
    later = _end_of(until)
    if later <= closing.erase_after:
        raise Failure("Choose a later date. The period can't be shortened.")
    if later > closing.erase_after + MOST_MORE:
        raise Failure("Choose a date within a year of the current one.")
    notary.extend_retrieval(closing.id, later)
    _move(closing, record, later)
    events.record_step(closing, "extended", record.slug, until=later.isoformat(), reason=reason.strip())
    advance_soon(closing)
    return closing


def cancel_ours(closing_id: UUID, reason: str) -> Closing:
    """An operator cancels a closing that operators began: the customer stays. One is enough, since it is safe."""
    found = db.control.get(Closing, closing_id)
    if found is None:
        raise NotFound
    record = db.control.get_one(TenantRecord, found.tenant_id, with_for_update=True)
    closing = db.control.get_one(Closing, closing_id, with_for_update=True, populate_existing=True)
    if closing.ended_by != "operator":
        raise Conflict("The customer requested this closure, so only its administrators can cancel it.")
    if closing.state not in ("exporting", "exported", "read_only"):
        raise Conflict("It is too late, or the closure was already cancelled.")
    if not reason.strip():
        raise Failure("Enter a reason. It is recorded in both audits.")
    tenant = read_tenant(db.control(), record.id, runtime().settings.base_domain)
    assert tenant is not None  # a closing goes with its tenant's row
    cancel_as(closing, tenant, recipients_of(tenant), "QikBiz", reason=reason.strip()[:500])
    return closing


def _move(closing: Closing, record: TenantRecord, later: datetime) -> None:
    moment = clock.now()
    closing.erase_after = record.read_only_until = later
    closing.extended_at = moment
    # Told again when the new date comes near.
    closing.day_told_at = closing.day_told_at if moment >= later - DAY_BEFORE else None
    closing.week_told_at = closing.week_told_at if moment >= later - WEEK_BEFORE else None
    touch_directory(db.control(), record)


def _end_of(text: str) -> datetime:
    try:
        day = date.fromisoformat(text.strip())
        return datetime.combine(day, time(23, 59, 59), UTC)
    except ValueError:
        raise Failure("Enter the date as 2026-12-31.") from None
