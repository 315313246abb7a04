"""Changing what an organisation says of itself; inside the tenant and `control_work`."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from qikbiz.audit.actions import record, record_on_platform
from qikbiz.database import db
from tenants.context import Tenant
from tenants.control import TenantRecord
from tenants.directory import touch_directory

SETTINGS = ("name", "accent", "time_zone", "country", "currency")


def change_general(tenant: Tenant, values: Mapping[str, str]) -> dict[str, list[str]]:
    """Write the settings that differ; gives each as [old, new]. All processes know of it within half a second."""
    row = db.control.scalars(select(TenantRecord).where(TenantRecord.id == tenant.id).with_for_update()).one()
    changes = {name: [getattr(row, name), values[name]] for name in SETTINGS if getattr(row, name) != values[name]}
    if not changes:
        return {}
    for name, (_, new) in changes.items():
        setattr(row, name, new)
    touch_directory(db.control(), row)
    record("workspace.changed", record_type="workspace", subject=row.name, details={"changes": changes})
    record_on_platform("workspace.changed", tenant_id=tenant.id, subject=tenant.slug, details={"changed": [*changes]})
    return changes
