"""What operators ask for at the console. Only making a schema needs the worker, which alone holds the rights for it."""

from __future__ import annotations

from qikbiz.console.closures import propose, was_ever_used
from qikbiz.console.tenant_actions import (
    LONGEST_REASON,
    BadTenant,
    close_tenant,
    for_change,
    record_act,
    reserve_tenant,
)
from qikbiz.jobs.actions import enqueue_platform
from qikbiz.jobs.models import PlatformJob
from qikbiz.kernel.actors import current_actor
from qikbiz.kernel.database import db
from tenants.control import TenantRecord


def ask_for_tenant(slug: str, name: str, admin_email: str) -> PlatformJob:
    """Reserve the address now, have the rest made by the worker. Asking again finishes what a job began."""
    record = reserve_tenant(db.control(), slug, name, admin_email)
    record_act(record, "tenant.asked_for", name=record.name)
    return enqueue_platform("tenants.create", {"slug": record.slug}, created_by=current_actor().id)


def end_contract(slug: str, typed: str, reason: str, days: int) -> TenantRecord:
    """One that was never used closes now and is erased after a week; for any other another operator is asked."""
    session, typed = db.control(), typed.strip()
    record = for_change(session, slug)
    if was_ever_used(record):
        propose(session, slug, confirmation=typed, reason=reason, days=days)
        return record
    if not reason.strip():
        raise BadTenant("Enter a reason. It is recorded in the audit.")
    close_tenant(session, slug, confirmation=typed)
    record.state_reason = reason.strip()[:LONGEST_REASON]
    return record
