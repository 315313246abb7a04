"""Reading domains. They stand in the control database, so everything here happens inside `control_transaction`."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select

from qikbiz.kernel.database import db
from qikbiz.kernel.errors import NotFound
from tenants.control import Domain
from tenants.directory import Destination

# Suspended and closing ones as well: what their people are told there has to be told over TLS too.
_CERTIFIED_STATES = frozenset({"active", "suspended", "closing"})


def domains_of(tenant_id: UUID) -> Sequence[Domain]:
    return db.control.scalars(select(Domain).where(Domain.tenant_id == tenant_id).order_by(Domain.host)).all()


def domain_for_change(tenant_id: UUID, host: str) -> Domain:
    """The tenant's claim to `host`, locked. Raises NotFound, also when another tenant claims it."""
    claim = select(Domain).where(Domain.host == host, Domain.tenant_id == tenant_id).with_for_update()
    found = db.control.scalar(claim)
    if found is None:
        raise NotFound(f"This workspace has no domain “{host[:80]}”.")
    return found


def count_of(tenant_id: UUID) -> int:
    return db.control.scalar(select(func.count()).where(Domain.tenant_id == tenant_id)) or 0


def is_served_for_another(tenant_id: UUID, host: str) -> bool:
    others = select(Domain.host).where(
        Domain.host == host, Domain.tenant_id != tenant_id, Domain.verified_at.is_not(None)
    )
    return db.control.scalar(others) is not None


def may_be_certified(where: Destination) -> bool:
    """Whether a proxy may get a certificate for the name that leads there."""
    if where.tenant is not None:
        return where.tenant.state in _CERTIFIED_STATES
    return where.surface in ("site", "console")
