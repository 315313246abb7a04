"""Create a tenant: its row, its schema and role, its first administrator. Killed anywhere, it is simply run again.

The row comes first, in the state "creating", which the front door serves to nobody. Whatever a run that was killed
left is found by the same name and finished.
"""

from __future__ import annotations

import secrets
import string
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from psycopg.rows import namedtuple_row

from config.faults import fault
from config.settings import Settings
from provisioning.acts import note_act, touch
from provisioning.cells import cell_with_room
from provisioning.first_administrator import invite_first_administrator
from provisioning.migrate import Place, migrate_place
from provisioning.names import check_free, check_shape
from provisioning.render import HEAD_SCRIPT, TENANT_ROLE, migrations
from provisioning.servers import OWNER, Connection, connect_as_provisioner, connect_to_control
from qikbiz.failures import Conflict, Failure
from tenants.context import Tenant
from tenants.control import new_id
from tenants.versions import HEAD

Step = Callable[[int, int, str], None]
ACCENTS = ("blue", "teal", "violet", "green", "indigo", "rose", "amber", "plum", "graphite", "red")
_STEPS = 4
_SINCE_16 = 160000


class BadTenant(Failure):
    """A tenant can't be made from what was given; the text says what to change."""

    key = "bad_tenant"


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


@dataclass(frozen=True)
class _Wish:
    slug: str
    name: str
    admin_email: str
    admin_name: str
    accent: str


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
    wish = _checked(slug, name, admin_email, admin_name, accent)
    report = progress or (lambda done, total, saying: None)
    report(0, _STEPS, "Reserving the name")
    tenant = _reserve(settings, wish)
    fault("tenant.create.reserved")
    report(1, _STEPS, "Making the schema")
    version = _ensure_schema(settings, tenant)
    fault("tenant.create.schema_made")
    report(2, _STEPS, "Inviting the administrator")
    invitation_url = invite_first_administrator(settings, tenant, wish.admin_email, wish.admin_name)
    fault("tenant.create.invited")
    report(3, _STEPS, "Opening the doors")
    _open(settings, tenant, version)
    report(_STEPS, _STEPS, "Done")
    return CreatedTenant(
        tenant.id,
        tenant.slug,
        tenant.schema,
        tenant.role,
        tenant.cell,
        version,
        settings.origin(tenant.host),
        invitation_url,
        round(time.monotonic() - started, 3),
    )


def _checked(slug: str, name: str, admin_email: str, admin_name: str, accent: str | None) -> _Wish:
    slug, name = slug.strip().lower(), " ".join(name.split())
    check_shape(slug)
    if not 1 <= len(name) <= 120 or not name.isprintable():
        raise BadTenant("Give the organisation's name, at most 120 characters.")
    try:
        # Reserved domains such as example.com stand in every demonstration; whether a mail arrives is the mail's matter.
        email = validate_email(admin_email.strip(), check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise BadTenant(f"The administrator's e-mail address can't be used: {error}") from error
    chosen = accent or ACCENTS[zlib.crc32(slug.encode()) % len(ACCENTS)]
    if chosen not in ACCENTS:
        raise BadTenant(f"{chosen!r} is none of the accents {', '.join(ACCENTS)}.")
    return _Wish(slug, name, email, " ".join(admin_name.split()) or email.partition("@")[0], chosen)


def _reserve(settings: Settings, wish: _Wish) -> Tenant:
    """The row in the state "creating": a new one, or the one that a killed run left."""
    with connect_to_control(settings) as control:
        # Taking a cell holds a lock until the commit, so two that look alike can't both find the name free.
        cell = cell_with_room(settings, control)
        row = _row(control, wish.slug)
        if row is not None and row.state != "creating":
            raise Conflict(f"There is an organisation {wish.slug!r} already ({row.state}).")
        if row is None:
            check_free(control, wish.slug)
            _insert(control, wish, cell)
        else:
            control.execute(
                "UPDATE tenants SET name = %s, admin_email = %s, accent = %s WHERE id = %s",
                (wish.name, wish.admin_email, wish.accent, row.id),
            )
        return _tenant(settings, _row(control, wish.slug))


def _insert(control: Connection, wish: _Wish, cell: str) -> None:
    opaque = "t_" + "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(16))
    control.execute(
        """INSERT INTO tenants (id, slug, name, schema_name, role_name, cell_name, accent, admin_email)
           VALUES (%s, %s, %s, %s, %s, %s, %s, %s)""",
        (new_id(), wish.slug, wish.name, opaque, opaque, cell, wish.accent, wish.admin_email),
    )


def _row(control: Connection, slug: str) -> Any:
    with control.cursor(row_factory=namedtuple_row) as cursor:
        return cursor.execute("SELECT * FROM tenants WHERE slug = %s FOR UPDATE", (slug,)).fetchone()


def _tenant(settings: Settings, row: Any) -> Tenant:
    return Tenant(
        id=row.id,
        slug=row.slug,
        name=row.name,
        state=row.state,
        schema=row.schema_name,
        role=row.role_name,
        cell=row.cell_name,
        epoch=row.epoch,
        version=row.version,
        accent=row.accent,
        host=f"{row.slug}.{settings.base_domain}",
    )


def _ensure_schema(settings: Settings, tenant: Tenant) -> str:
    """The schema at the newest version: by one script when it is missing, by migrations when it is older."""
    with connect_as_provisioner(settings) as connection:
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

    Rights come by default privileges, which cost nothing with ten thousand schemas; GRANT ON ALL TABLES would read the
    whole catalog (research: tenancy.md 0.5).
    """
    schema, role = tenant.schema, tenant.role
    membership = " WITH INHERIT FALSE, SET TRUE" if server_version >= _SINCE_16 else ""
    return f"""
        SET LOCAL lock_timeout = '5s';
        CREATE ROLE {role} NOLOGIN NOINHERIT;
        GRANT {role} TO qb_{tenant.cell}{membership};
        CREATE SCHEMA {schema} AUTHORIZATION {OWNER};
        SET LOCAL ROLE {OWNER};
        SET LOCAL search_path = {schema};
        GRANT USAGE ON SCHEMA {schema} TO {role};
        ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role};
        {_head().replace(TENANT_ROLE, role)}
    """


@cache
def _head() -> str:
    return HEAD_SCRIPT.read_text(encoding="utf-8")


def _open(settings: Settings, tenant: Tenant, version: str) -> None:
    with connect_to_control(settings) as control:
        control.execute(
            "UPDATE tenants SET state = 'active', version = %s, users = 1 WHERE id = %s", (version, tenant.id)
        )
        touch(control, tenant.id)
        note_act(control, "tenant.created", tenant_id=tenant.id, subject=tenant.slug, cell=tenant.cell, version=version)
