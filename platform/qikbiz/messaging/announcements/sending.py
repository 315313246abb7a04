"""How an announcement gets to people: one job for the platform, one for each tenant, one for each mail.

Every step can be killed and done again: the tenants are a list of rows, each tenant's job has a key of its own, and
so has each person's mail. Choices about mails, and a stop, are asked when a mail leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, insert, select, update
from sqlalchemy.orm import Session

from qikbiz.audit.actions import record
from qikbiz.identity.accounts.models import User
from qikbiz.identity.accounts.queries import is_administrator
from qikbiz.jobs.actions import enqueue
from qikbiz.kernel import clock
from qikbiz.kernel.actors import Actor, acting_as
from qikbiz.kernel.database import control_transaction, db, runtime, tenant_transaction
from qikbiz.messaging.announcements.models import Announcement, AnnouncementTenant
from qikbiz.messaging.mail.actions import send
from qikbiz.messaging.mail.addresses import BadAddress
from qikbiz.messaging.mail.categories import category_named
from tenants.context import Tenant, current_tenant
from tenants.control import TenantRecord
from tenants.directory import read_tenant
from tenants.schema_version import is_served

TEMPLATES = {
    "improvements": "announced_improvements",
    "legal": "announced_legal",
    "security": "announced_security",
    "updates": "announced_updates",
}


def begin(session: Session, announcement_id: UUID) -> bool:
    """Go from scheduled to sending, with the list of tenants. False when there is nothing to send (any more)."""
    found = session.get(Announcement, announcement_id, with_for_update=True, populate_existing=True)
    if found is not None and found.state == "sending":
        return True
    # One that was scheduled anew has another job; the first must not send it early.
    if found is None or found.state != "scheduled" or not found.send_at or found.send_at > clock.now():
        return False
    found.state, found.started_at = "sending", clock.now()
    tenant_ids = session.scalars(_tenants_of(found)).all()
    if tenant_ids:
        rows = [{"announcement_id": found.id, "tenant_id": tenant_id} for tenant_id in tenant_ids]
        session.execute(insert(AnnouncementTenant), rows)
    return True


def tenants_waiting(announcement_id: UUID) -> list[tuple[UUID, int]]:
    """The tenants that were not asked yet, with the number of people measured there."""
    query = (
        select(AnnouncementTenant.tenant_id, TenantRecord.users)
        .join(TenantRecord, TenantRecord.id == AnnouncementTenant.tenant_id)
        .where(AnnouncementTenant.announcement_id == announcement_id, AnnouncementTenant.state == "waiting")
        .order_by(AnnouncementTenant.tenant_id)
    )
    with control_transaction() as session:
        return [(row.tenant_id, max(row.users or 0, 1)) for row in session.execute(query)]


def ask_tenant(announcement_id: UUID, tenant_id: UUID, run_at: datetime) -> None:
    """Have the tenant's own job write its mails; once, however often this is called."""
    with control_transaction() as session:
        found = session.get_one(Announcement, announcement_id)
        tenant = tenant_named(session, tenant_id)
        if found.state != "sending":
            return
    state = "settled"
    if tenant is not None and tenant.state in _states(found.category) and is_served(tenant.version):
        with tenant_transaction(tenant):
            key = f"announcement:{announcement_id}"
            enqueue("announcements.deliver", {"announcement": str(announcement_id)}, run_at=run_at, dedupe_key=key)
        state = "asked"
    own = (AnnouncementTenant.announcement_id == announcement_id, AnnouncementTenant.tenant_id == tenant_id)
    with control_transaction() as session:
        session.execute(
            update(AnnouncementTenant).where(*own, AnnouncementTenant.state == "waiting").values(state=state)
        )


def deliver(announcement_id: UUID) -> int:
    """Write one mail for each person of the tenant entered, spread over time; gives how many."""
    with control_transaction() as session:
        found = session.get(Announcement, announcement_id)
        if found is None or found.state != "sending":
            return 0
        session.expunge(found)
    people = _people(found.audience)
    begun, pace = clock.now(), pause_between_mails()
    written = sum(_write(found, person, begun + pace * number) for number, person in enumerate(people))
    with acting_as(Actor("staff", found.created_by, found.created_by_name)):
        details = {"category": found.category, "audience": found.audience, "recipients": written}
        record("announcement.sent", subject=found.subject, details=details)
    return written


def words_of(announcement_id: UUID) -> dict[str, object] | None:
    """What a mail of this announcement says, asked when it leaves; None when it was stopped."""
    with control_transaction() as session:
        found = session.get(Announcement, announcement_id)
        if found is None or found.state not in ("sending", "sent"):
            return None
        return {"subject": found.subject, "body": found.body}


def tenant_named(session: Session, tenant_id: UUID) -> Tenant | None:
    return read_tenant(session, tenant_id, runtime().settings.base_domain)


def pause_between_mails() -> timedelta:
    return timedelta(minutes=1) / max(runtime().settings.announcement_mails_per_minute, 1)


def _write(found: Announcement, person: User, leave_at: datetime) -> bool:
    tenant = current_tenant()
    try:
        send(
            TEMPLATES[found.category],
            to_address=person.email,
            to_name=person.name,
            to_user=person.id,
            values={
                "name": person.name,
                "organisation": tenant.name,
                "url": runtime().settings.origin(tenant.host),
            },
            dedupe_key=f"announcement:{found.id}:{person.id}",
            announcement_id=found.id,
            leave_at=leave_at,
        )
    except BadAddress:
        return False
    return True


def _people(audience: str) -> Sequence[User]:
    query = select(User).where(User.state == "active").order_by(User.id)
    if audience == "administrators":
        query = query.where(is_administrator())
    return db.session.scalars(query).all()


def _tenants_of(found: Announcement) -> Select[UUID]:
    query = select(TenantRecord.id).where(TenantRecord.state.in_(_states(found.category))).order_by(TenantRecord.id)
    if found.tenant_ids:
        query = query.where(TenantRecord.id.in_([UUID(tenant_id) for tenant_id in found.tenant_ids]))
    return query


def _states(category: str) -> tuple[str, ...]:
    """Who is suspended or leaving gets what has to be sent, and no news."""
    return ("active",) if category_named(category).can_be_off else ("active", "suspended", "closing")
