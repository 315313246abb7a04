"""What staff and commands do to an organisation stands in its own audit too, for its administrators to read."""

from __future__ import annotations

from qikbiz.actors import SYSTEM, acting_as, current_actor
from qikbiz.audit.actions import record
from qikbiz.database import db, runtime, tenant_work
from tenants.control import TenantRecord
from tenants.directory import read_tenant

# In these it has a schema to write into.
_WRITABLE = ("active", "suspended", "closing")


def tell_tenant(found: TenantRecord, action: str, **details: object) -> None:
    """Write the act into the tenant's audit, before the act itself is kept: one that can't be told is not done."""
    tenant = read_tenant(db.control(), found.id, runtime().settings.base_domain)
    if tenant is None or found.state not in _WRITABLE or not found.version:
        return
    actor = current_actor()
    # Staff enter nowhere without a grant (P8): the program writes the line, in the name of whoever acted.
    with acting_as(SYSTEM), tenant_work(tenant), acting_as(actor):
        record(f"organisation.{action}", subject=found.name, details=details)
