"""What became of an announcement's mails: counted in each tenant, and written to the control database as numbers.

A count is written whole and never grows smaller, so that it may be made twice, late, or by two workers at once.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import case, func, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from qikbiz.jobs.models import Job
from qikbiz.kernel import clock
from qikbiz.kernel.database import control_transaction, db, tenant_transaction
from qikbiz.messaging.announcements.models import Announcement, AnnouncementTenant
from qikbiz.messaging.announcements.sending import tenant_named
from qikbiz.messaging.mail.models import Mail
from tenants.context import Tenant

OPEN_JOBS = ("pending", "running")
# A mail whose answer was lost counts among those that nobody can say arrived.
OUTCOMES = {"pending": "waiting", "sending": "waiting", "unknown": "dropped"}
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Totals:
    """How far an announcement is, over all tenants."""

    tenants: int = 0
    open_tenants: int = 0
    recipients: int = 0
    sent: int = 0
    failed: int = 0
    opted_out: int = 0
    dropped: int = 0

    @property
    def done(self) -> int:
        return self.sent + self.failed + self.opted_out + self.dropped

    @property
    def waiting(self) -> int:
        return max(self.recipients - self.done, 0)


def totals_of(announcement_id: UUID) -> Totals:
    names = ("recipients", "sent", "failed", "opted_out", "dropped")
    sums = [func.coalesce(func.sum(getattr(AnnouncementTenant, name)), 0) for name in names]
    is_open = func.count(case((AnnouncementTenant.state != "settled", 1)))
    query = select(func.count(), is_open, *sums).where(AnnouncementTenant.announcement_id == announcement_id)
    return Totals(*(int(value) for value in db.control().execute(query).one()))


def count_tenant(tenant: Tenant, announcement_id: UUID) -> None:
    """Count one tenant's mails. Called when one of them ends; what goes wrong here is made up for by the watch."""
    try:
        with tenant_transaction(tenant) as session:
            counts = _counts(session, announcement_id)
            # Until the tenant's own job has written the mails, that none waits means nothing.
            key = f"announcement:{announcement_id}"
            is_written = not session.scalar(select(Job.id).where(Job.dedupe_key == key, Job.state.in_(OPEN_JOBS)))
        with control_transaction() as session:
            _keep(session, announcement_id, tenant.id, counts, is_settled=is_written and not counts["waiting"])
            finish_if_settled(session, announcement_id)
    except SQLAlchemyError:
        logger.exception("announcement_not_counted", extra={"announcement": str(announcement_id)})


def count_open_tenants(announcement_id: UUID) -> bool:
    """Count wherever something may still wait; False once nothing does."""
    open_rows = (AnnouncementTenant.announcement_id == announcement_id, AnnouncementTenant.state == "asked")
    with control_transaction() as session:
        tenant_ids = session.scalars(select(AnnouncementTenant.tenant_id).where(*open_rows)).all()
    for tenant_id in tenant_ids:
        with control_transaction() as session:
            tenant = tenant_named(session, tenant_id)
            if tenant is None or tenant.state == "closed":
                own = (*open_rows, AnnouncementTenant.tenant_id == tenant_id)
                session.execute(update(AnnouncementTenant).where(*own).values(state="settled"))
        if tenant is not None and tenant.state != "closed":
            count_tenant(tenant, announcement_id)
    with control_transaction() as session:
        finish_if_settled(session, announcement_id)
        still_open = AnnouncementTenant.announcement_id == announcement_id, AnnouncementTenant.state != "settled"
        return session.scalar(select(AnnouncementTenant.tenant_id).where(*still_open).limit(1)) is not None


def finish_if_settled(session: Session, announcement_id: UUID) -> None:
    """From sending to sent, once nothing waits in any tenant."""
    still_open = select(AnnouncementTenant.tenant_id).where(
        AnnouncementTenant.announcement_id == announcement_id, AnnouncementTenant.state != "settled"
    )
    session.execute(
        update(Announcement)
        .where(Announcement.id == announcement_id, Announcement.state == "sending", ~still_open.exists())
        .values(state="sent", finished_at=clock.now())
    )


def _counts(session: Session, announcement_id: UUID) -> dict[str, int]:
    query = select(Mail.state, Mail.reason, func.count()).where(Mail.announcement_id == announcement_id)
    counts = dict.fromkeys(("recipients", "sent", "failed", "opted_out", "dropped", "waiting"), 0)
    for state, reason, amount in session.execute(query.group_by(Mail.state, Mail.reason)):
        counts["recipients"] += amount
        outcome = "opted_out" if reason == "opted_out" else OUTCOMES.get(state, state)
        counts[outcome] += amount
    return counts


def _keep(
    session: Session, announcement_id: UUID, tenant_id: UUID, counts: dict[str, int], *, is_settled: bool
) -> None:
    row = AnnouncementTenant
    own = (row.announcement_id == announcement_id, row.tenant_id == tenant_id, row.state != "settled")
    kept = {name: func.greatest(getattr(row, name), number) for name, number in counts.items() if name != "waiting"}
    session.execute(update(row).where(*own).values(state="settled" if is_settled else row.state, **kept))
