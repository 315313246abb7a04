"""What the command line does with tenants: the console's actions, each in a transaction, and facts to show."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.settings import Settings
from provisioning.application import working_application
from provisioning.erase_tenant import erase_tenant
from provisioning.fleet import TenantFacts
from provisioning.usage import measure_tenants
from qikbiz.console.closures import propose, was_ever_used
from qikbiz.console.tenant_actions import (
    WAITING_DAYS,
    BadTenant,
    close_tenant,
    limit_seats,
    rename_tenant,
    resume_tenant,
    suspend_tenant,
)
from qikbiz.kernel.database import control_transaction
from qikbiz.kernel.errors import Conflict, NotFound
from qikbiz.trust.account_closure.actions import SHORTEST
from tenants.context import Tenant
from tenants.control import Domain, TenantRecord
from tenants.runtime import Runtime

__all__ = [
    "WAITING_DAYS",
    "TenantFacts",
    "delete",
    "limit",
    "rename",
    "resume",
    "show_tenant",
    "suspend",
    "tenant_named",
]
_USED = (
    "A user has signed in to this tenant, so it can't be erased immediately. Without --now, this proposes to end "
    "the contract: two operators confirm it in the console, and its users have at least 30 days to download their "
    "data."
)


def show_tenant(settings: Settings, slug: str) -> TenantFacts:
    with working_application(settings):
        if settings.provisioner_url:
            measure_tenants(settings, slug)
        with control_transaction() as session:
            return _facts(session, settings, _found(session, slug))


def suspend(settings: Settings, slug: str, reason: str) -> TenantFacts:
    return _act(settings, lambda session: suspend_tenant(session, slug, reason))


def resume(settings: Settings, slug: str) -> TenantFacts:
    return _act(settings, lambda session: resume_tenant(session, slug))


def rename(settings: Settings, slug: str, *, new_slug: str | None, new_name: str | None) -> TenantFacts:
    return _act(settings, lambda session: rename_tenant(session, slug, new_slug=new_slug, new_name=new_name))


def limit(settings: Settings, slug: str, seats: int | None) -> TenantFacts:
    return _act(settings, lambda session: limit_seats(session, slug, seats))


def delete(
    settings: Settings,
    slug: str,
    *,
    confirmation: str,
    days: int | None = None,
    now: bool = False,
    reason: str = "",
) -> TenantFacts:
    """Close one that no user ever signed in to, and with `now` erase it. Again, it finishes or says so.

    For one that was used it only proposes to end the contract, which two operators have to confirm at the console.
    """
    with working_application(settings):
        with control_transaction() as session:
            record = _found(session, slug)
            if confirmation != record.slug:
                raise BadTenant(f"To delete this tenant, confirm with --yes {record.slug}")
            if record.state in ("active", "suspended") and was_ever_used(record):
                if now:
                    raise Conflict(_USED)
                propose(session, slug, confirmation=confirmation, reason=reason, days=days or SHORTEST)
                return _facts(session, settings, record)
            if record.state != "closed":
                waiting = days if days is not None else WAITING_DAYS
                record = close_tenant(session, slug, confirmation=confirmation, days=0 if now else waiting)
            tenant_id, is_begun = record.id, record.state == "closed"
        if now or is_begun:
            erase_tenant(settings, tenant_id, now=True)
        with control_transaction() as session:
            return _facts(session, settings, session.get_one(TenantRecord, tenant_id))


def tenant_named(runtime: Runtime, slug: str) -> Tenant:
    """The tenant that a command works for. Raises NotFound."""
    runtime.directory.ensure_fresh()
    tenant = runtime.directory.tenant_by_slug(slug.strip().lower())
    if tenant is None or tenant.state in ("creating", "closed"):
        raise NotFound(f"There is no tenant “{slug}”.")
    return tenant


def _act(settings: Settings, action: Callable[[Session], TenantRecord]) -> TenantFacts:
    with working_application(settings), control_transaction() as session:
        return _facts(session, settings, action(session))


def _found(session: Session, slug: str) -> TenantRecord:
    record = session.scalar(select(TenantRecord).where(TenantRecord.slug == slug.strip().lower()))
    if record is None:
        raise NotFound(f"There is no tenant “{slug}”.")
    return record


def _facts(session: Session, settings: Settings, record: TenantRecord) -> TenantFacts:
    own = f"{record.slug}.{settings.base_domain}"
    domains = session.scalars(select(Domain.host).where(Domain.tenant_id == record.id, Domain.verified_at.is_not(None)))
    return TenantFacts(
        slug=record.slug,
        name=record.name,
        state=record.state,
        version=record.version,
        users=record.users,
        records=record.records,
        bytes=record.bytes,
        last_seen=record.last_seen_at,
        url=settings.origin(own),
        hosts=[own, *sorted(domains)],
        schema=record.schema_name,
        role=record.role_name,
        cell=record.cell_name,
        accent=record.accent,
        state_reason=record.state_reason,
        delete_after=record.delete_after,
        created_at=record.created_at,
        id=str(record.id),
    )
