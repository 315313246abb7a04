"""What operators ask for. The web process can't make or erase a tenant: it writes a job, and the worker that may does it."""

from __future__ import annotations

from typing import Any

from qikbiz.actors import current_actor
from qikbiz.audit.actions import record_on_platform
from qikbiz.failures import Failure
from qikbiz.jobs.actions import enqueue_platform
from qikbiz.jobs.models import PlatformJob
from tenants.control import TenantRecord

LONGEST_REASON = 500


def ask_for_creation(slug: str, name: str, admin_email: str) -> PlatformJob:
    """Asking again for a name that is still being made finishes what the first job began."""
    wanted = {"slug": slug, "name": name, "admin_email": admin_email}
    record_on_platform("tenant.creation_asked", subject=slug)
    return _ask("tenants.create", wanted)


def ask_for_suspension(tenant: TenantRecord, reason: str) -> PlatformJob:
    if tenant.state not in ("active", "suspended"):
        raise Failure(f"{tenant.name} is {tenant.state}; only an active organisation can be suspended.")
    return _ask("tenants.suspend", {"slug": tenant.slug, "reason": needed_reason(reason)})


def ask_for_resumption(tenant: TenantRecord) -> PlatformJob:
    if tenant.state not in ("suspended", "closing", "active"):
        raise Failure(f"{tenant.name} is {tenant.state} and can't be resumed.")
    return _ask("tenants.resume", {"slug": tenant.slug})


def ask_for_deletion(tenant: TenantRecord, typed: str, reason: str) -> PlatformJob:
    if typed.strip() != tenant.slug:
        raise Failure(f"To delete it, type {tenant.slug} exactly; nothing was changed.")
    return _ask("tenants.delete", {"slug": tenant.slug, "reason": needed_reason(reason)})


def needed_reason(text: str) -> str:
    """The reason, on one line. Raises Failure when there is none."""
    reason = " ".join(text.split())
    if not reason:
        raise Failure("Say why: the reason is kept in the audit and shown to the customer.")
    if len(reason) > LONGEST_REASON:
        raise Failure(f"The reason has {len(reason):,} characters; {LONGEST_REASON} are enough.")
    return reason


def _ask(kind: str, arguments: dict[str, Any]) -> PlatformJob:
    return enqueue_platform(kind, arguments, created_by=current_actor().id)
