"""Prepare the servers for tenants: logins, databases, revoked defaults, the control tables, one cell.

Everything looks first and changes only what is missing, so that each start may run it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import errors, sql

from config.embedded import CONTROL_LOGIN
from config.settings import Settings
from provisioning.cells import ensure_cell, reseal_cells
from provisioning.hardening import close_openings
from provisioning.notary import NOTARY, install_notary
from provisioning.schema_versions import migrate_control
from provisioning.servers import (
    OWNER,
    WATCH,
    Connection,
    connect_as_provisioner,
    connect_to_control,
    control_parts,
    provisioner_parts,
    same_server,
)

OLDEST_POSTGRES = 150000
_ONE_AT_A_TIME = 0x51_42_01
_MAINTENANCE_DATABASE = "postgres"
# Before PostgreSQL 16 a login that may make roles may grant any role.
_MAY_GIVE_ON = """
    SELECT WHERE current_setting('server_version_num')::int < 160000
        OR pg_has_role(current_user, %s, 'USAGE WITH ADMIN OPTION')
"""
HOW_TO_CLOSE = "have a superuser run the output of `qikbiz doctor --sql` in the tenants' database, then try again."


class ServerNotPrepared(Exception):
    """A server can't be made ready by this login; the text says what a DBA must do."""


@dataclass(frozen=True)
class Prepared:
    """`statements_for_dba` close what the provisioner's login was not allowed to close."""

    statements_for_dba: tuple[str, ...] = ()


def prepare_servers(settings: Settings) -> Prepared:
    """Make what is missing on the servers of `settings`. Raises ServerNotPrepared."""
    with _alone(settings) as maintenance:
        _refuse_old_server(maintenance)
        # Of every tenant's tables, and of the announcements of the privacy statement.
        for role in (OWNER, NOTARY):
            _ensure_role(maintenance, role)
        _ensure_watcher(maintenance)
        _ensure_control(settings, maintenance)
        _ensure_database(maintenance, str(provisioner_parts(settings)["dbname"]), owner=None)
        left_open = _close_tenant_database(settings)
        migrate_control(settings)
        install_notary(settings)
        ensure_cell(settings)
        reseal_cells(settings)
    if left_open and settings.is_production:
        raise ServerNotPrepared(
            f"{len(left_open)} PostgreSQL permissions let one tenant read another, and the provisioner can't revoke "
            f"them: {HOW_TO_CLOSE}"
        )
    return Prepared(tuple(left_open))


@contextmanager
def _alone(settings: Settings) -> Iterator[Connection]:
    """Two starts at the same time would make the same roles."""
    connection = _maintenance_connection(settings)
    try:
        connection.execute("SELECT pg_catalog.pg_advisory_lock(%s)", (_ONE_AT_A_TIME,))
        yield connection
    finally:
        connection.close()


def _maintenance_connection(settings: Settings) -> Connection:
    try:
        return connect_as_provisioner(settings, database=_MAINTENANCE_DATABASE, autocommit=True)
    except psycopg.OperationalError:
        # Some hosts give no `postgres` database; then the tenants' one must be there already.
        return connect_as_provisioner(settings, autocommit=True)


def _refuse_old_server(connection: Connection) -> None:
    if connection.info.server_version < OLDEST_POSTGRES:
        raise ServerNotPrepared(
            f"The tenants' server is PostgreSQL {connection.info.server_version // 10000}; QikBiz needs 15 or newer."
        )


def _ensure_role(connection: Connection, role: str) -> None:
    """A role that owns tables: it has no login, the provisioner becomes it by SET ROLE."""
    if not _exists(connection, "SELECT FROM pg_roles WHERE rolname = %s", role):
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))
    if not _exists(connection, "SELECT WHERE pg_has_role(current_user, %s, 'USAGE')", role):
        _become(connection, role)


def _ensure_watcher(connection: Connection) -> None:
    """The role that each cell's login may become besides its tenants' own, to look at how jobs and mails went."""
    if not _exists(connection, "SELECT FROM pg_roles WHERE rolname = %s", WATCH):
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN NOINHERIT").format(sql.Identifier(WATCH)))
    if not _exists(connection, _MAY_GIVE_ON, WATCH):
        login = connection.info.user
        raise ServerNotPrepared(f"Have a superuser run: GRANT {WATCH} TO {login} WITH ADMIN OPTION, then try again.")


def _become(connection: Connection, role: str) -> None:
    try:
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(role)))
    except errors.InsufficientPrivilege as error:
        login = connection.info.user
        raise ServerNotPrepared(f"Have a superuser run: GRANT {role} TO {login}, then try again.") from error


def _ensure_control(settings: Settings, maintenance: Connection) -> None:
    """The control database and its login, when they are missing and live on the provisioner's server."""
    if settings.embedded:
        _ensure_login(maintenance, CONTROL_LOGIN, None)
        _ensure_database(maintenance, str(control_parts(settings)["dbname"]), owner=CONTROL_LOGIN)
    elif (problem := _control_problem(settings)) is not None:
        parts = control_parts(settings)
        if not same_server(settings):
            raise ServerNotPrepared(f"The control database can't be reached: {problem}")
        _ensure_login(maintenance, str(parts["user"]), str(parts["password"]) if parts.get("password") else None)
        _ensure_database(maintenance, str(parts["dbname"]), owner=str(parts["user"]))
    with connect_to_control(settings, autocommit=True) as control:
        # A login of tenants that was broken into must not connect to the directory.
        _revoke_public_from_database(control)


def _control_problem(settings: Settings) -> str | None:
    try:
        connect_to_control(settings).close()
    except psycopg.OperationalError as error:
        return str(error).strip()
    return None


def _ensure_login(connection: Connection, login: str, password: str | None) -> None:
    if _exists(connection, "SELECT FROM pg_roles WHERE rolname = %s", login):
        return
    command = sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(login))
    connection.execute(command + (sql.SQL(" PASSWORD {}").format(password) if password else sql.SQL("")))


def _ensure_database(connection: Connection, name: str, *, owner: str | None) -> None:
    if _exists(connection, "SELECT FROM pg_database WHERE datname = %s", name):
        return
    command = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(name))
    if owner is not None:
        if not _exists(connection, "SELECT WHERE pg_has_role(current_user, %s, 'USAGE')", owner):
            connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(owner)))
        command += sql.SQL(" OWNER {}").format(sql.Identifier(owner))
    try:
        connection.execute(command)
    except errors.InsufficientPrivilege as error:
        raise ServerNotPrepared(f"The database {name} is missing, and this role can't create it.") from error


def _close_tenant_database(settings: Settings) -> list[str]:
    with connect_as_provisioner(settings, autocommit=True) as connection:
        return close_openings(connection)


def _revoke_public_from_database(connection: Connection) -> None:
    is_open = """SELECT FROM pg_database d, aclexplode(coalesce(datacl, acldefault('d', datdba))) a
                  WHERE a.grantee = 0 AND datname = %s"""
    name = connection.info.dbname
    if _exists(connection, is_open, name):
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))


def _exists(connection: Connection, question: str, name: str) -> bool:
    return connection.execute(question.encode(), (name,)).fetchone() is not None
