"""Which exports a grant allows."""

from __future__ import annotations

from sqlalchemy.orm import Session

from qikbiz.identity.roles.builtin_roles import staff_rights
from qikbiz.identity.staff.models import Staff
from qikbiz.kernel.database import NoGrant
from qikbiz.kernel.permissions import Permission
from qikbiz.transfer.exports.models import Export
from qikbiz.trust.grants.queries import grant_for
from qikbiz.trust.grants.scopes import GrantScope
from tenants.context import current_tenant


def is_granted(control: Session, export: Export) -> bool:
    """Whether it was asked for under a grant that still allows it, by a member of staff who still may."""
    if export.grant_id is None:
        return False
    try:
        grant_for(control, current_tenant().id, export.grant_id, GrantScope.EXPORT, export.requested_by)
    except NoGrant:
        return False
    if export.requested_by is None:
        # Asked by command on the server itself.
        return True
    staff = control.get(Staff, export.requested_by)
    return staff is not None and staff.state == "active" and staff_rights(staff.role).can(Permission.TENANT_EXPORT)
