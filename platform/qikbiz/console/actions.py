"""What operators ask for at the console. Only making a schema needs the worker, which alone holds the rights for it."""

from __future__ import annotations

from qikbiz.actors import current_actor
from qikbiz.console.tenant_actions import BadTenant, close_tenant, note_act, reserve_tenant
from qikbiz.database import db
from qikbiz.jobs.actions import enqueue_platform
from qikbiz.jobs.models import PlatformJob
from tenants.control import TenantRecord


def ask_for_tenant(slug: str, name: str, admin_email: str) -> PlatformJob:
    """Reserve the address now, have the rest made by the worker. Asking again finishes what a job began."""
    record = reserve_tenant(db.control(), slug, name, admin_email)
    note_act(record, "tenant.asked_for", name=record.name)
    return enqueue_platform("tenants.create", {"slug": record.slug}, created_by=current_actor().id)


def close_tenant_for(slug: str, typed: str, reason: str) -> TenantRecord:
    """Close it after a typed confirmation; it is erased after the waiting period."""
    if not reason.strip():
        raise BadTenant("Say why: the reason is kept in the audit.")
    record = close_tenant(db.control(), slug, confirmation=typed.strip())
    record.state_reason = reason.strip()
    return record
