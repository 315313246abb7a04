"""Create a tenant: its row, its schema and role, its first administrator. Killed anywhere, it is simply run again.

The row comes first, in the state "creating", which the request pipeline does not serve. A run finds
what a killed one left by the same name, and finishes it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.fault_injection import fault
from config.settings import Settings
from provisioning.application import working_application
from provisioning.cells import ensure_cell
from provisioning.first_administrator import invite_first_administrator
from provisioning.render import HEAD_SCRIPT, TENANT_ROLE, migrations
from provisioning.schema_versions import Place, lock_key, migrate_place
from provisioning.servers import OWNER, SINCE_16, WATCH, Connection, connect_as_provisioner
from qikbiz.console.tenant_actions import NoRoom, has_room, record_act, reserve_tenant
from qikbiz.kernel.database import control_transaction
from qikbiz.kernel.errors import Conflict, NotFound
from tenants.context import Tenant
from tenants.control import TenantRecord
from tenants.directory import touch_directory
from tenants.schema_version import HEAD

Step = Callable[[int, int, str], None]
_STEPS = 4


@dataclass(frozen=True)
class CreatedTenant:
    """What `qikbiz tenant create` answers."""

    id: UUID
    slug: str
    schema: str
    role: str
    cell: str
    version: str
    url: str
    invitation_url: str
    seconds: float


def create_tenant(
    settings: Settings,
    slug: str,
    name: str,
    admin_email: str,
    *,
    admin_name: str = "",
    accent: str | None = None,
    progress: Step | None = None,
) -> CreatedTenant:
    """Create the tenant, or finish what a killed run began.

    Raises BadName, NameTaken, BadTenant or Conflict with a sentence that says what to do.
    """
    started = time.monotonic()
    with working_application(settings):
        tenant_id = _reserve(settings, slug, name, admin_email, accent)
        fault("tenant.create.reserved")
        return _finish(settings, tenant_id, admin_name, progress, started)


def _reserve(settings: Settings, slug: str, name: str, admin_email: str, accent: str | None) -> UUID:
    try:
        with control_transaction() as session:
            return reserve_tenant(session, slug, name, admin_email, accent).id
    except NoRoom:
        ensure_cell(settings)
    with control_transaction() as session:
        return reserve_tenant(session, slug, name, admin_email, accent).id


def finish_tenant(settings: Settings, tenant_id: UUID, *, progress: Step | None = None) -> CreatedTenant:
    """Make what is missing of a tenant that was reserved: the console reserves, a job finishes. Safe to repeat."""
    with working_application(settings):
        return _finish(settings, tenant_id, "", progress, time.monotonic())


def _finish(
    settings: Settings, tenant_id: UUID, admin_name: str, progress: Step | None, started: float
) -> CreatedTenant:
    report = progress or (lambda done, total, saying: None)
    with control_transaction() as session:
        record = _reserved(session, tenant_id)
        tenant, email = _tenant(settings, record), record.admin_email
    report(1, _STEPS, "Creating the schema")
    version = _ensure_schema(settings, tenant)
    fault("tenant.create.schema_made")
    report(2, _STEPS, "Inviting the administrator")
    invitation_url = invite_first_administrator(settings, tenant, email, admin_name or email.partition("@")[0])
    fault("tenant.create.invited")
    report(3, _STEPS, "Activating the tenant")
    with control_transaction() as session:
        _open(session, tenant.id, version)
        is_full = not has_room(session)
    if is_full:
        # The console can't make a cell: the next one must exist before a tenant is reserved there.
        ensure_cell(settings)
    report(_STEPS, _STEPS, "Done")
    places = (tenant.slug, tenant.schema, tenant.role, tenant.cell, version, settings.origin(tenant.host))
    return CreatedTenant(tenant.id, *places, invitation_url, round(time.monotonic() - started, 3))


def _reserved(session: Session, tenant_id: UUID) -> TenantRecord:
    record = session.scalar(select(TenantRecord).where(TenantRecord.id == tenant_id))
    if record is None:
        raise NotFound("There is no reserved tenant with this ID.")
    if record.state != "creating":
        raise Conflict(f"“{record.slug}” already exists; it is {record.state}.")
    return record


def _tenant(settings: Settings, record: TenantRecord) -> Tenant:
    return Tenant(
        id=record.id,
        slug=record.slug,
        name=record.name,
        state="creating",
        schema=record.schema_name,
        role=record.role_name,
        cell=record.cell_name,
        accent=record.accent,
        host=f"{record.slug}.{settings.base_domain}",
    )


def _ensure_schema(settings: Settings, tenant: Tenant) -> str:
    """The schema at the newest version: by one script when it is missing, by migrations when it is older."""
    with connect_as_provisioner(settings) as connection:
        # Two runs that finish the same tenant take turns; the second finds the schema.
        connection.execute("SELECT pg_catalog.pg_advisory_xact_lock(%s)", (lock_key(tenant.id),))
        known = connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", (tenant.schema,)).fetchone()
        if known is None:
            _make_schema(connection, tenant)
            return HEAD
        connection.commit()
        place = Place(tenant.id, tenant.slug, tenant.schema, tenant.role)
        return migrate_place(connection, place, migrations("tenant"))


def _make_schema(connection: Connection, tenant: Tenant) -> None:
    # One round trip; the names are opaque ones that Tenant has checked, so they need no quoting.
    connection.execute(schema_script(tenant, server_version=connection.info.server_version).encode())
    fault("tenant.create.in_schema")
    connection.commit()


def schema_script(tenant: Tenant, *, server_version: int) -> str:
    """Role, schema, default rights, then the head script, to be run as the provisioner in one transaction.

    Rights come by default privileges, which cost half a millisecond with ten thousand schemas. GRANT ON ALL TABLES
    reads the whole catalog, which takes most of a second.
    """
    return f"{_frame(tenant, server_version)}{_head().replace(TENANT_ROLE, tenant.role)}"


def _frame(tenant: Tenant, server_version: int) -> str:
    schema, role = tenant.schema, tenant.role
    membership = " WITH INHERIT FALSE, SET TRUE" if server_version >= SINCE_16 else ""
    return f"""
        SET LOCAL lock_timeout = '5s';
        CREATE ROLE {role} NOLOGIN NOINHERIT;
        GRANT {role} TO qb_{tenant.cell}{membership};
        CREATE SCHEMA {schema} AUTHORIZATION {OWNER};
        SET LOCAL ROLE {OWNER};
        SET LOCAL search_path = {schema};
        GRANT USAGE ON SCHEMA {schema} TO {role}, {WATCH};
        ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role};
    """


@cache
def _head() -> str:
    return HEAD_SCRIPT.read_text(encoding="utf-8")


def _open(session: Session, tenant_id: UUID, version: str) -> None:
    record = session.get_one(TenantRecord, tenant_id, with_for_update=True)
    if record.state != "creating":
        return
    record.state, record.version, record.users = "active", version, 1
    touch_directory(session, record)
    record_act(record, "tenant.created", cell=record.cell_name, version=version)
