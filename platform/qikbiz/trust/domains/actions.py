"""Claim, prove and give up a domain, for pages and commands alike; inside the tenant and `control_transaction`."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from qikbiz.audit.actions import record, record_on_platform
from qikbiz.kernel.clock import now
from qikbiz.kernel.database import db, runtime
from qikbiz.kernel.errors import Conflict, Failure, Unavailable
from qikbiz.trust.domains import dns
from qikbiz.trust.domains.names import BadDomain, own_domain
from qikbiz.trust.domains.queries import count_of, domain_for_change, is_served_for_another
from tenants.context import Tenant
from tenants.control import Domain, TenantRecord
from tenants.directory import touch_directory

MOST_DOMAINS = 5
_LABEL, _PREFIX = "_qikbiz", "qikbiz-domain="
_TAKEN = "“{}” belongs to another workspace. If it is yours, contact us."


class DomainTaken(Conflict):
    key = "domain_taken"


class NotProved(Failure):
    """The DNS does not say yet what it should; the text says what was found instead."""

    status, key = 409, "domain_not_proved"


@dataclass(frozen=True, slots=True)
class Proof:
    """The TXT record that proves a claim, and where the name has to point to be served."""

    name: str
    value: str
    points_to: str


def proof_of(domain: Domain, tenant: Tenant) -> Proof:
    return Proof(f"{_LABEL}.{domain.host}", _PREFIX + domain.token, tenant.host)


def add_domain(tenant: Tenant, text: str) -> Domain:
    """Claim a name; it is served once it is proved. Claiming it again changes nothing.

    Raises BadDomain, DomainTaken.
    """
    host = own_domain(text, runtime().settings.base_domain)
    _lock(tenant.id)
    known = db.control.get(Domain, (host, tenant.id))
    if known is not None:
        return known
    if is_served_for_another(tenant.id, host):
        raise DomainTaken(_TAKEN.format(host))
    if count_of(tenant.id) >= MOST_DOMAINS:
        raise BadDomain(f"A workspace can have at most {MOST_DOMAINS} custom domains. Remove one first.")
    domain = Domain(host=host, tenant_id=tenant.id, token=secrets.token_hex(16))
    db.control.add(domain)
    db.control.flush()
    _audit("domain.added", tenant, host)
    return domain


def verify_domain(tenant: Tenant, host: str) -> Domain:
    """Look whether the DNS proves the claim, and serve the name from now on if it does.

    Raises NotFound, NotProved, DomainTaken, Unavailable.
    """
    domain = domain_for_change(tenant.id, host)
    if domain.verified_at is not None:
        return domain
    _look_for(proof_of(domain, tenant), domain)
    record_of_tenant = _lock(tenant.id)
    domain.verified_at = now()
    try:
        db.control.flush()
    except IntegrityError as error:
        raise DomainTaken(_TAKEN.format(host)) from error
    touch_directory(db.control(), record_of_tenant)
    _audit("domain.verified", tenant, host)
    return domain


def remove_domain(tenant: Tenant, host: str) -> None:
    """Give a name up: it is served to nobody from now on, and logins there end. Raises NotFound."""
    domain = domain_for_change(tenant.id, host)
    was_served = domain.verified_at is not None
    db.control.delete(domain)
    db.control.flush()
    if was_served:
        touch_directory(db.control(), _lock(tenant.id))
    _audit("domain.removed", tenant, host)


def _look_for(proof: Proof, domain: Domain) -> None:
    try:
        found = dns.texts_at(proof.name)
    except dns.DnsAway as error:
        raise Unavailable(f"The name servers of {domain.host} did not answer. Try again in a few minutes.") from error
    if domain.token and any(hmac.compare_digest(text.strip().encode(), proof.value.encode()) for text in found):
        return
    if not found:
        raise NotProved(f"There is no TXT record at {proof.name} yet. A new record can take an hour to become visible.")
    raise NotProved(f"The TXT record at {proof.name} says “{found[0][:80]}”, and not “{proof.value}”.")


def _lock(tenant_id: UUID) -> TenantRecord:
    return db.control.scalars(select(TenantRecord).where(TenantRecord.id == tenant_id).with_for_update()).one()


def _audit(action: str, tenant: Tenant, host: str) -> None:
    record(action, record_type="domain", subject=host)
    record_on_platform(action, tenant_id=tenant.id, subject=tenant.slug, details={"domain": host})
