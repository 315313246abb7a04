"""Driving the closings of accounts: what is due is done, step by step; killed anywhere, the next round goes on.

Only here is what needs the provisioner's rights: taking from a tenant's role the right to change its records, giving it
back, and erasing.
"""

from __future__ import annotations

import logging
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from config.fault_injection import fault
from config.settings import Settings
from provisioning.application import working_application
from provisioning.erase_tenant import erase_tenant
from provisioning.read_only import allow_changes, refuse_changes
from qikbiz.kernel.database import control_transaction
from qikbiz.kernel.errors import Failure
from qikbiz.trust.account_closure import events, state_machine
from qikbiz.trust.account_closure.emails import delete_sent_certificates
from qikbiz.trust.account_closure.models import Closing
from qikbiz.trust.account_closure.queries import open_closings
from tenants.context import Tenant
from tenants.directory import read_tenant
from tenants.schema_version import is_served

logger = logging.getLogger(__name__)


def advance_closings(settings: Settings) -> int:
    """Do what is due of every closing. One that can't be advanced stops no other. Returns how many there were."""
    with working_application(settings):
        ids = open_closings()
        for closing_id in ids:
            try:
                advance(settings, closing_id)
            except (Failure, SQLAlchemyError) as error:
                logger.warning(
                    "closing_not_advanced", extra={"closing": str(closing_id), "reason": type(error).__name__}
                )
        delete_sent_certificates()
    return len(ids)


def advance(settings: Settings, closing_id: UUID) -> None:
    """Do what is due of one closing."""
    tenant, state = _standing(settings, closing_id)
    if state == "erasing":
        erase_tenant(settings, tenant.id)
        return
    if not is_served(tenant.version):
        return
    events.catch_up(tenant, closing_id)
    if state == "exporting":
        _export(tenant, closing_id)
    elif state == "reopening":
        with state_machine.reopening(closing_id) as is_wanted:
            if is_wanted:
                allow_changes(settings, tenant.schema, tenant.role)
                fault("closing.unlocked")
    elif state == "read_only":
        _keep_read_only(settings, tenant, closing_id)
    events.catch_up(tenant, closing_id)


def _export(tenant: Tenant, closing_id: UUID) -> None:
    with control_transaction() as control:
        closing = control.get_one(Closing, closing_id)
    state_machine.ensure_export(tenant, closing)
    state_machine.settle_export(tenant, closing_id)


def _keep_read_only(settings: Settings, tenant: Tenant, closing_id: UUID) -> None:
    with state_machine.locking(closing_id) as is_wanted:
        if is_wanted:
            refuse_changes(settings, tenant.schema)
            fault("closing.locked")
    state_machine.remind(tenant, closing_id)
    fault("closing.reminded")
    # Of two that look at once, one begins; erasing itself may be done by both.
    if state_machine.begin_erasure(closing_id):
        fault("closing.erasing")
        erase_tenant(settings, tenant.id)


def _standing(settings: Settings, closing_id: UUID) -> tuple[Tenant, str]:
    with control_transaction() as control:
        closing = control.get_one(Closing, closing_id)
        tenant = read_tenant(control, closing.tenant_id, settings.base_domain)
        assert tenant is not None  # a closing goes with its tenant's row
        return tenant, closing.state
