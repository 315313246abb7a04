"""Changing what an organisation says of itself; inside the tenant and `control_transaction`."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import delete, func, select

from qikbiz.audit.actions import record, record_on_platform
from qikbiz.crm.workspace.models import ONLY, Logo
from qikbiz.crm.workspace.pictures import Picture
from qikbiz.kernel.database import db
from tenants.context import Tenant
from tenants.control import TenantRecord
from tenants.directory import touch_directory

SETTINGS = ("name", "accent", "time_zone", "country", "currency", "week_start")


def change_general(tenant: Tenant, values: Mapping[str, str]) -> dict[str, list[str]]:
    """Write the settings that differ; gives each as [old, new]. All processes know of it within half a second."""
    row = _locked_row(tenant)
    changes = {name: [getattr(row, name), values[name]] for name in SETTINGS if getattr(row, name) != values[name]}
    if not changes:
        return {}
    for name, (_, new) in changes.items():
        setattr(row, name, new)
    touch_directory(db.control(), row)
    record("workspace.changed", record_type="workspace", subject=row.name, details={"changes": changes})
    record_on_platform("workspace.changed", tenant_id=tenant.id, subject=tenant.slug, details={"changed": [*changes]})
    return changes


def set_logo(tenant: Tenant, picture: Picture) -> bool:
    """Show `picture` in place of the letter. False when it is the one that is shown already."""
    row = _locked_row(tenant)
    if row.logo == picture.name:
        return False
    db.session.merge(Logo(id=ONLY, name=picture.name, picture=picture.content, changed_at=func.now()))
    _show_logo(row, picture.name)
    return True


def remove_logo(tenant: Tenant) -> bool:
    """Show the letter again. False when there was no logo."""
    row = _locked_row(tenant)
    db.session.execute(delete(Logo))
    if not row.logo:
        return False
    _show_logo(row, "")
    return True


def _show_logo(row: TenantRecord, name: str) -> None:
    # The schema's rules speak before the directory is changed: they are two databases.
    db.session.flush()
    details = {"changes": {"logo": [row.logo, name]}}
    row.logo = name
    touch_directory(db.control(), row)
    record("workspace.changed", record_type="workspace", subject=row.name, details=details)
    record_on_platform("workspace.changed", tenant_id=row.id, subject=row.slug, details={"changed": ["logo"]})


def _locked_row(tenant: Tenant) -> TenantRecord:
    return db.control.scalars(select(TenantRecord).where(TenantRecord.id == tenant.id).with_for_update()).one()
