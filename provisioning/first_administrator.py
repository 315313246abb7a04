"""The first login of a new tenant: invited by mail, with a link that works once and ends."""

from __future__ import annotations

from config.settings import Settings
from provisioning.application import working_application
from qikbiz.identity.members.actions import invite_user
from qikbiz.kernel.database import tenant_transaction
from qikbiz.kernel.permissions import Role
from tenants.context import Tenant


def invite_first_administrator(settings: Settings, tenant: Tenant, email: str, name: str) -> str:
    """Add the administrator unless there is one with this address, mail an invitation, and return its link."""
    with working_application(settings), tenant_transaction(tenant):
        return invite_user(email, name, [Role.ADMINISTRATOR])
