"""The database logins of guests (staff under a grant): made for a grant, dropped with it. Staff have no other.

A guest's login owns nothing and is a member of no role. It may do what its grant's scopes say in one schema, and
the database itself refuses new connections from the minute the grant is over (VALID UNTIL). Each step looks first, so
that a run that was killed is simply run again.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from uuid import UUID

from psycopg import errors, sql
from sqlalchemy import or_, select

from config.fault_injection import fault
from config.settings import Settings
from provisioning.application import working_application
from provisioning.read_only import refuse_changes
from provisioning.servers import OWNER, Connection, cell_dsn, connect_as_provisioner
from qikbiz.audit.actions import record_on_platform
from qikbiz.kernel import clock
from qikbiz.kernel.database import control_transaction
from qikbiz.transfer.exports.catalogue import EXPORTED
from qikbiz.trust.grants.models import Grant
from qikbiz.trust.grants.queries import is_opening
from qikbiz.trust.grants.scopes import rights_of
from tenants.control import TenantRecord

GUEST_DSN = "guest-dsn"
MOST_CONNECTIONS = 10


def open_grant(settings: Settings, grant_id: UUID) -> bool:
    """Make the login of a grant that waits for it. False when it has ended, is open already, or opens later."""
    with working_application(settings):
        with control_transaction() as session:
            grant = session.get(Grant, grant_id, with_for_update=True)
            if grant is None or not is_opening(grant):
                return False
            record = session.get_one(TenantRecord, grant.tenant_id)
            password = secrets.token_urlsafe(32)
            _make_login(settings, grant, record.schema_name, password)
            fault("grant.login_made")
            session.refresh(record)
            if record.read_only_until is not None:
                # The account is closing: its records may not be changed any more.
                refuse_changes(settings, record.schema_name)
            dsn = cell_dsn(settings, grant.role_name, password)
            grant.dsn = settings.keys.seal(GUEST_DSN, dsn.encode(), bound_to=str(grant.id))
            grant.role_made_at, grant.state = clock.now(), "open"
            _audit("grant.opened", grant)
        return True


def open_due_grants(settings: Settings) -> int:
    """Make the logins of all that had to wait and are due now, and of those whose job was lost. Gives how many."""
    with working_application(settings):
        with control_transaction() as session:
            due = or_(Grant.opens_at.is_(None), Grant.opens_at <= clock.now())
            waiting = select(Grant.id).where(Grant.state == "opening", due, Grant.ends_at > clock.now())
            grants = list(session.scalars(waiting.order_by(Grant.id)))
        return sum(open_grant(settings, grant_id) for grant_id in grants)


def close_ended_grants(settings: Settings) -> int:
    """Drop the logins of all grants that have ended or whose time is over. Gives how many were dropped."""
    with working_application(settings):
        with control_transaction() as session:
            over = or_(Grant.state == "ended", Grant.ends_at <= clock.now())
            ended = list(session.scalars(select(Grant.id).where(over, Grant.role_dropped_at.is_(None))))
        return sum(_close(settings, grant_id) for grant_id in ended)


def close_grants_of(settings: Settings, tenant_id: UUID) -> None:
    """End every grant of a tenant that is being erased and drop its login, before the grants themselves are erased."""
    with control_transaction() as session:
        its = select(Grant).where(Grant.tenant_id == tenant_id, Grant.role_dropped_at.is_(None)).with_for_update()
        grants = session.scalars(its).all()
        for grant in grants:
            if grant.state != "ended":
                grant.state, grant.ended_at = "ended", clock.now()
    for grant in grants:
        _close(settings, grant.id)


def stray_logins(settings: Settings) -> list[str]:
    """Guests' logins without a grant in force; empty when all is well. For the doctor."""
    with working_application(settings):
        with control_transaction() as session:
            known = set(session.scalars(select(Grant.role_name).where(Grant.role_dropped_at.is_(None))))
        with connect_as_provisioner(settings) as connection:
            found = connection.execute("SELECT rolname FROM pg_roles WHERE rolname ~ '^g_[a-z0-9]{16}$'").fetchall()
    return sorted({row[0] for row in found} - known)


def _close(settings: Settings, grant_id: UUID) -> bool:
    with control_transaction() as session:
        grant = session.get(Grant, grant_id, with_for_update=True)
        if grant is None or grant.role_dropped_at is not None:
            return False
        record = session.get(TenantRecord, grant.tenant_id)
        _drop_login(settings, grant.role_name, record.schema_name if record else None)
        fault("grant.login_dropped")
        if grant.state != "ended":
            grant.state, grant.ended_at = "ended", min(grant.ends_at, clock.now())
        grant.dsn, grant.role_dropped_at = "", clock.now()
        _audit("grant.closed", grant)
    return True


def _make_login(settings: Settings, grant: Grant, schema: str, password: str) -> None:
    role, place = sql.Identifier(grant.role_name), sql.Identifier(schema)
    with connect_as_provisioner(settings) as connection:
        _drop_role(connection, grant.role_name, schema)
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN NOINHERIT CONNECTION LIMIT {} PASSWORD {} VALID UNTIL {}").format(
                role, sql.Literal(MOST_CONNECTIONS), sql.Literal(password), sql.Literal(grant.ends_at.isoformat())
            )
        )
        database = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, role))
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(OWNER)))
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(place, role))
        for table, rights in rights_of(grant.scopes, (table.name for table in EXPORTED)).items():
            for words in rights:
                # The words come from the table of scopes, never from outside.
                connection.execute(
                    sql.SQL("GRANT {} ON {}.{} TO {}").format(
                        sql.SQL(words),
                        place,
                        sql.Identifier(table),
                        role,
                    )
                )


def _drop_login(settings: Settings, role: str, schema: str | None) -> None:
    with connect_as_provisioner(settings) as connection:
        _drop_role(connection, role, schema)


def _drop_role(connection: Connection, role: str, schema: str | None) -> None:
    """Drop the login: first new connections are refused, then its rights and open connections go, then itself."""
    if connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,)).fetchone() is None:
        return
    name, database = sql.Identifier(role), sql.Identifier(connection.info.dbname)
    connection.execute(sql.SQL("ALTER ROLE {} NOLOGIN").format(name))
    if connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", (schema,)).fetchone() is not None:
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(OWNER)))
        place = sql.Identifier(str(schema))
        connection.execute(sql.SQL("REVOKE ALL ON ALL TABLES IN SCHEMA {} FROM {}").format(place, name))
        connection.execute(sql.SQL("REVOKE ALL ON SCHEMA {} FROM {}").format(place, name))
        connection.execute("RESET ROLE")
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM {}").format(database, name))
    connection.execute(sql.SQL("DROP ROLE {}").format(name))
    connection.commit()
    # A connection that is still open has no right left; where we may, we end it too.
    with suppress(errors.InsufficientPrivilege):
        connection.execute(
            "SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE usename = %s", (role,)
        )


def _audit(action: str, grant: Grant) -> None:
    record_on_platform(action, tenant_id=grant.tenant_id, subject=grant.reference, details={"scopes": grant.scopes})
