"""Domains of a tenant's own by command: the pages' actions, for the operators of this installation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from config.settings import Settings
from provisioning.application import working_application
from provisioning.tenants import tenant_named
from qikbiz.kernel.database import control_transaction, db, tenant_transaction
from qikbiz.trust.domains.actions import add_domain, proof_of, remove_domain, verify_domain
from tenants.context import Tenant
from tenants.control import Domain, TenantRecord

__all__ = ["DomainFacts", "add", "list_domains", "remove", "verify"]


@dataclass(frozen=True)
class DomainFacts:
    """A domain as commands print it. The TXT record proves the claim, the name itself points to `points_to`."""

    tenant: str
    host: str
    verified_at: datetime | None
    txt_name: str
    txt_value: str
    points_to: str


def add(settings: Settings, slug: str, host: str) -> DomainFacts:
    return _act(settings, slug, lambda tenant: add_domain(tenant, host))


def verify(settings: Settings, slug: str, host: str) -> DomainFacts:
    return _act(settings, slug, lambda tenant: verify_domain(tenant, host.strip().lower()))


def remove(settings: Settings, slug: str, host: str) -> None:
    with working_application(settings) as runtime:
        tenant = tenant_named(runtime, slug)
        with tenant_transaction(tenant), control_transaction():
            remove_domain(tenant, host.strip().lower())


def list_domains(settings: Settings, slug: str | None = None) -> list[DomainFacts]:
    """Every claim, proved or not; of one organisation when it is named. Raises NotFound."""
    wanted = select(TenantRecord.slug, Domain).join_from(Domain, TenantRecord).order_by(Domain.host, TenantRecord.slug)
    with working_application(settings) as runtime:
        if slug is not None:
            wanted = wanted.where(TenantRecord.id == tenant_named(runtime, slug).id)
        with control_transaction():
            rows = db.control.execute(wanted).all()
            return [_facts(domain, tenant_named(runtime, owner)) for owner, domain in rows]


def _act(settings: Settings, slug: str, action: Callable[[Tenant], Domain]) -> DomainFacts:
    with working_application(settings) as runtime:
        tenant = tenant_named(runtime, slug)
        with tenant_transaction(tenant), control_transaction():
            return _facts(action(tenant), tenant)


def _facts(domain: Domain, tenant: Tenant) -> DomainFacts:
    proof = proof_of(domain, tenant)
    return DomainFacts(tenant.slug, domain.host, domain.verified_at, proof.name, proof.value, proof.points_to)
