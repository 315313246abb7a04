"""Erase a tenant that was closed: schema, role, files, Redis keys, marks; its name is never given again.

Each step looks first, so that a run that was killed is simply run again. The row stays, without what it said about
the customer, so that the old address can say that the organisation is closed.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from psycopg import errors, sql
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from config.fault_injection import fault
from config.settings import Settings
from provisioning.application import working_application
from provisioning.erased_tenants import certificate_on_list, list_as_erased, listed_as_erased
from provisioning.guest_roles import close_grants_of
from provisioning.row_counts import KEYS_AT_ONCE, count_everything
from provisioning.schema_versions import lock_key
from provisioning.servers import OWNER, connect_as_provisioner
from qikbiz.audit.models import AuditCheck
from qikbiz.console.closures import was_ever_used
from qikbiz.console.tenant_actions import record_act
from qikbiz.kernel.database import control_transaction
from qikbiz.kernel.errors import Conflict, Failure, NotFound, Unavailable
from qikbiz.trust.account_closure.erasures import counted, finish, store_counts
from qikbiz.trust.account_closure.models import ErasureCertificate
from qikbiz.trust.account_closure.notary import may_erase
from tenants.control import ReservedName, TenantRecord
from tenants.directory import touch_directory
from tenants.redis import RedisAway
from tenants.runtime import Runtime

# The version of a tenant that a restore brought back after its row had lost it.
RESTORED = "restored"
logger = logging.getLogger(__name__)


def due_for_erasure(session: Session) -> list[UUID]:
    """Closed tenants whose waiting period is over, and those whose erasure was begun."""
    is_due = (TenantRecord.state == "closing") & (TenantRecord.delete_after <= datetime.now(UTC))
    is_begun = (TenantRecord.state == "closed") & (TenantRecord.version != "")
    return list(session.scalars(select(TenantRecord.id).where(is_due | is_begun)))


def erase_due_tenants(settings: Settings) -> list[str]:
    """Erase the tenants that are due; returns the slugs. One that can't be erased now is tried again later."""
    with working_application(settings):
        close_what_came_back(settings)
        with control_transaction() as session:
            due = due_for_erasure(session)
        return [slug for tenant_id in due if (slug := _erase_if_possible(settings, tenant_id))]


def close_what_came_back(settings: Settings) -> list[UUID]:
    """Shut every erased tenant that a restore brought back; the next erasure takes it.

    Done before anything is migrated or started, and before each round of erasures.
    """
    with working_application(settings):
        listed = listed_as_erased(settings)
        if not listed:
            return []
        with control_transaction() as session:
            records = session.scalars(select(TenantRecord).where(TenantRecord.id.in_(listed)).with_for_update()).all()
            schemas = _standing_schemas(settings, [record.schema_name for record in records])
            back = [record for record in records if record.state != "closed" or record.schema_name in schemas]
            for record in back:
                _shut(session, record)
            return [record.id for record in back]


def _shut(session: Session, record: TenantRecord) -> None:
    if record.state == "closed" and record.version:
        return  # its erasure is under way
    record_act(record, "tenant.came_back")
    record.state, record.version = "closed", record.version or RESTORED
    record.epoch += 1
    touch_directory(session, record)


def _erase_if_possible(settings: Settings, tenant_id: UUID) -> str | None:
    try:
        return erase_tenant(settings, tenant_id)
    except Failure as failure:
        logger.warning("tenant_not_erased", extra={"tenant": str(tenant_id), "reason": failure.key})
        return None


def erase_tenant(settings: Settings, tenant_id: UUID, *, now: bool = False) -> str:
    """Erase a tenant in the state "closing" whose waiting period is over; `now` doesn't wait for it. Returns its slug.

    Raises Conflict when it isn't due, Unavailable when a session still holds a lock or Redis is away.
    """
    with working_application(settings) as runtime:
        with control_transaction() as session:
            record = _begin(settings, session, tenant_id, now=now)
            slug, schema, role = record.slug, record.schema_name, record.role_name
        list_as_erased(settings, tenant_id)
        fault("tenant.erase.begun")
        counts = counted(tenant_id)
        if counts is None:
            counts = count_everything(settings, runtime, tenant_id, schema)
            store_counts(tenant_id, counts)
        fault("tenant.erase.counted")
        close_grants_of(settings, tenant_id)
        _drop_schema(settings, tenant_id, schema, role)
        fault("tenant.erase.dropped")
        # Every feature keeps its files as `feature/tenant/…`.
        for folder in settings.files.glob(f"*/{tenant_id}"):
            shutil.rmtree(folder)
        _delete_keys(runtime, tenant_id)
        fault("tenant.erase.forgotten")
        with control_transaction() as session:
            certificate = _finish(settings, session, tenant_id, counts)
        fault("tenant.erase.finished")
        list_as_erased(settings, tenant_id, certificate)
    return slug


def _begin(settings: Settings, session: Session, tenant_id: UUID, *, now: bool) -> TenantRecord:
    record = session.get(TenantRecord, tenant_id, with_for_update=True)
    if record is None:
        raise NotFound("There is no such tenant.")
    if record.state not in ("closing", "closed"):
        raise Conflict(f"“{record.slug}” is {record.state}; only a tenant that is being deleted can be erased.")
    if (
        record.state == "closing"
        and not now
        and (record.delete_after or datetime.max.replace(tzinfo=UTC)) > datetime.now(UTC)
    ):
        raise Conflict(f"“{record.slug}” is kept until {record.delete_after:%d %B %Y, %H:%M} UTC.")
    if record.state == "closing":
        record.state = "closed"
        touch_directory(session, record)
    _refuse_used(settings, record)
    return record


def _refuse_used(settings: Settings, record: TenantRecord) -> None:
    """A customer who ever signed in gets notice, an export and thirty days: only the closing may erase it (P13)."""
    if record.id in listed_as_erased(settings) or may_erase(record.id) or not was_ever_used(record):
        return
    raise Conflict(
        f"“{record.slug}” was used, so it can be erased only after its account is closed: its users are notified "
        "and have at least 30 days. Resume it, and end the contract in the console."
    )


def _drop_schema(settings: Settings, tenant_id: UUID, schema: str, role: str) -> None:
    try:
        with connect_as_provisioner(settings) as connection:
            connection.execute("SET LOCAL lock_timeout = '5s'")
            connection.execute("SELECT pg_catalog.pg_advisory_xact_lock(%s)", (lock_key(tenant_id),))
            connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(OWNER)))
            connection.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema)))
            connection.execute("RESET ROLE")
            connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))
    except (errors.LockNotAvailable, errors.DeadlockDetected) as error:
        raise Unavailable("The data is still in use. It is erased at the next attempt.") from error


def _delete_keys(runtime: Runtime, tenant_id: UUID) -> None:
    pattern = runtime.redis.tenant_key(tenant_id, "*")
    try:
        with runtime.redis.client() as client:
            for key in client.scan_iter(match=pattern, count=KEYS_AT_ONCE):
                client.unlink(key)
    except RedisAway as error:
        raise Unavailable("Redis is not available. Its data is erased at the next attempt.") from error


def _finish(settings: Settings, session: Session, tenant_id: UUID, counts: Mapping[str, object]) -> ErasureCertificate:
    record = session.get_one(TenantRecord, tenant_id, with_for_update=True)
    standing = certificate_on_list(settings, tenant_id)
    if standing is not None:
        session.merge(standing)
    certificate = finish(record, counts)
    session.execute(delete(AuditCheck).where(AuditCheck.chain == tenant_id))
    session.merge(ReservedName(slug=record.slug, reason="erased"))
    if record.version:
        record_act(record, "tenant.erased", certificate=certificate.number)
    record.name, record.admin_email, record.state_reason, record.version = record.slug, "", "", ""
    record.users = record.records = record.bytes = 0
    record.last_seen_at = record.measured_at = record.delete_after = record.read_only_until = None
    touch_directory(session, record)
    return certificate


def _standing_schemas(settings: Settings, names: list[str]) -> set[str]:
    with connect_as_provisioner(settings) as connection:
        found = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname = ANY (%s)", (names,)).fetchall()
    return {row[0] for row in found}
