"""Who may do what: the provisioner enough, a cell's login nothing by itself, every other role nothing at all."""

from collections.abc import Iterator

import psycopg
from psycopg import conninfo

from config.keys import SealBroken
from config.settings import Settings
from provisioning.bootstrap import HOW_TO_CLOSE
from provisioning.cells import CAPACITY
from provisioning.doctor.checks import Check
from provisioning.doctor.faults import NO_SLOTS, remedy_for
from provisioning.guest_roles import stray_logins
from provisioning.hardening import openings
from provisioning.notary import serving_login_is_notary
from provisioning.servers import WATCH, Connection, connect_as_provisioner, connect_to_control
from tenants.runtime import CELL_DSN

REMADE = "Set QIKBIZ_KEYS to the key ring with which the cell was created, or restore keys.json under QIKBIZ_HOME."
_MAY_PROVISION = """
    SELECT rolsuper OR (rolcreaterole AND has_database_privilege(current_database(), 'CREATE'))
      FROM pg_roles WHERE rolname = current_user
"""
_LOGIN = """
    SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication AS is_mighty, rolinherit
      FROM pg_roles WHERE rolname = %s
"""
# What the login owns or was granted itself. Every catalog that holds a right of a role reports it here.
_RIGHTS_OF_ITS_OWN = """
    SELECT count(*) FROM pg_shdepend
     WHERE refclassid = 'pg_authid'::regclass AND refobjid = (SELECT oid FROM pg_roles WHERE rolname = %s)
       AND classid NOT IN ('pg_database'::regclass, 'pg_auth_members'::regclass)
       AND dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
"""
_MEMBER_OF = """
    SELECT r.rolname FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid
     WHERE m.member = (SELECT oid FROM pg_roles WHERE rolname = %s)
"""


def provisioner(settings: Settings) -> Iterator[Check]:
    name = "provisioner"
    if not settings.provisioner_url:
        yield Check(name, True, "not set in this environment: tenants can't be created or migrated from here")
        return
    with connect_as_provisioner(settings) as connection:
        row = connection.execute(_MAY_PROVISION).fetchone()
    if row and row[0]:
        yield Check(name, True, "can create roles and schemas")
    else:
        remedy = "Give the role in QIKBIZ_PROVISIONER_URL CREATEROLE, and CREATE on the tenants' database."
        yield Check(name, False, "can't create roles and schemas", remedy)


def closed_doors(settings: Settings) -> Iterator[Check]:
    """Functions and catalogs that let one tenant read another must be revoked from PUBLIC."""
    if not settings.provisioner_url:
        return
    with connect_as_provisioner(settings) as connection:
        left = openings(connection)
    if left:
        detail = f"{len(left)} functions, languages or catalogs are open to every role"
        yield Check("closed doors", False, detail, f"The provisioner can't revoke these permissions: {HOW_TO_CLOSE}")
    else:
        yield Check("closed doors", True, "no function, language or catalog that reaches another tenant is open")


def notary(settings: Settings) -> Iterator[Check]:
    """The login that serves requests may not change what was announced, and the calendar must extend far enough."""
    if serving_login_is_notary(settings):
        remedy = "Run `qikbiz migrate` with a provisioner that can create roles and schemas in the control database."
        yield Check(
            "notary", False, "the application's role could change announcements of the privacy statement", remedy
        )
    else:
        yield Check("notary", True, "the application can't change announcements of the privacy statement")
    with connect_to_control(settings) as control:
        row = control.execute("SELECT notices.earliest_now() FROM notices.calendar LIMIT 1").fetchone()
    if row is None or row[0] is None:
        yield Check("business days", False, "the business day calendar ends too early", "Run `qikbiz migrate`.")
    else:
        yield Check("business days", True, "filled ahead")


def guests(settings: Settings) -> Iterator[Check]:
    """A login of the database by which staff come in must belong to a customer's grant."""
    if not settings.provisioner_url:
        return
    stray = stray_logins(settings)
    if stray:
        remedy = "Drop them: each has access to a tenant that has not granted it."
        yield Check("guests", False, f"no grant for {', '.join(stray)}", remedy)
    else:
        yield Check("guests", True, "every staff role has a customer's grant")


def cells(settings: Settings) -> Iterator[Check]:
    with connect_to_control(settings) as control:
        found = control.execute("SELECT name, login, dsn FROM cells ORDER BY name").fetchall()
    if not found:
        yield Check("cells", False, "there is none, so tenants can't be created", "Run `qikbiz migrate`.")
    for name, login, sealed in found:
        yield _cell_login(settings, name, sealed)
        if settings.provisioner_url:
            yield _cell_rights(settings, name, login)


def _cell_login(settings: Settings, name: str, sealed: str) -> Check:
    title = f"login of {name}"
    try:
        dsn = settings.keys.open(CELL_DSN, sealed, bound_to=name).plaintext.decode()
    except SealBroken:
        return Check(title, False, "its DSN can't be opened", REMADE)
    try:
        # Our settings for a connection, so that a server that is away is found out soon.
        psycopg.connect(conninfo.make_conninfo(dsn, connect_timeout=5)).close()
    except psycopg.Error as error:
        named = remedy_for(error, settings)
        remedy = named if named == NO_SLOTS else "Check that the server runs and that pg_hba.conf allows this role."
        return Check(title, False, str(error).strip().splitlines()[0], remedy)
    return Check(title, True, "works")


def _cell_rights(settings: Settings, name: str, login: str) -> Check:
    with connect_as_provisioner(settings) as connection:
        wrong = list(_rights_too_many(connection, login))
    remedy = f"Revoke the extra rights of {login}. It may only become its tenants' roles."
    return Check(f"rights of {name}", not wrong, "; ".join(wrong) or "none of its own", remedy if wrong else "")


def _rights_too_many(connection: Connection, login: str) -> Iterator[str]:
    row = connection.execute(_LOGIN, (login,)).fetchone()
    if row is None:
        yield f"the role {login} is missing"
        return
    if row[0]:
        yield "it is a superuser or can create roles or databases"
    if row[1]:
        yield "it inherits its tenants' rights without entering one"
    own = connection.execute(_RIGHTS_OF_ITS_OWN, (login,)).fetchone()
    if own and own[0]:
        yield f"{own[0]} objects are owned by it or granted to it"
    roles = [role for (role,) in connection.execute(_MEMBER_OF, (login,)).fetchall()]
    strangers = [role for role in roles if not role.startswith("t_") and role != WATCH]
    if strangers:
        yield f"it may become {', '.join(strangers)}"
    if len(roles) > CAPACITY:
        yield f"it serves {len(roles)} tenants, more than {CAPACITY}"
