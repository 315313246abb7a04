"""Reading the audit: newest first, filtered by person, act, record and day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select

from qikbiz.audit.models import AuditEvent, AuditKeeping
from qikbiz.kernel.database import db
from qikbiz.kernel.log_pagination import LogPage, log_page
from tenants.context import current_tenant

# An id is made by the web process or a worker, the time by the database.
CLOCKS_DIFFER = timedelta(minutes=5)
_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """The filters of an audit page. Days are those of `zone`; the last one is inside."""

    person: UUID | None = None
    action: str = ""
    record: UUID | None = None
    first_day: date | None = None
    last_day: date | None = None
    zone: ZoneInfo = _UTC


def audit_page(wanted: AuditFilter, *, before: UUID | None = None, after: UUID | None = None) -> LogPage[AuditEvent]:
    return log_page(AuditEvent, _conditions(wanted), before=before, after=after)


def newest_link() -> tuple[int, str] | None:
    """Number and hash of the newest event of the organisation's chain, None before the first one."""
    newest = select(AuditEvent.seq, AuditEvent.hash).where(AuditEvent.chain == current_tenant().id)
    found = db.session.execute(newest.order_by(AuditEvent.seq.desc()).limit(1)).one_or_none()
    return (found.seq, found.hash.hex()) if found else None


def months_kept() -> int | None:
    """How long the audit is kept; None: for ever."""
    return db.session.scalar(select(AuditKeeping.months))


def oldest_moment() -> datetime | None:
    """When the oldest entry of the organisation's chain was written."""
    oldest = select(AuditEvent.at).where(AuditEvent.chain == current_tenant().id).order_by(AuditEvent.seq)
    return db.session.scalar(oldest.limit(1))


def _conditions(wanted: AuditFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.person:
        conditions.append(AuditEvent.actor_id == wanted.person)
    if wanted.action:
        conditions.append(_is_action(wanted.action))
    if wanted.record:
        conditions.append(AuditEvent.record_id == wanted.record)
    if wanted.first_day:
        start = datetime.combine(wanted.first_day, time(), wanted.zone)
        conditions += [AuditEvent.at >= start, AuditEvent.id >= id_at(start - CLOCKS_DIFFER)]
    if wanted.last_day:
        end = datetime.combine(wanted.last_day, time(), wanted.zone) + timedelta(days=1)
        conditions += [AuditEvent.at < end, AuditEvent.id <= id_at(end + CLOCKS_DIFFER)]
    return conditions


def _is_action(action: str) -> ColumnElement[bool]:
    # "contact" is every act on contacts: a range of the index, since acts read thing.verb.
    if "." in action:
        return AuditEvent.action == action
    return AuditEvent.action.between(f"{action}.", f"{action}/")


def id_at(moment: datetime) -> UUID:
    """The smallest time-ordered id of that moment, so that a range of days is a range of the index."""
    return UUID(int=max(int(moment.timestamp() * 1000), 0) << 80)
