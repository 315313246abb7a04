"""Cells: a login without rights of its own for at most a hundred tenants, made when the ones before it are full."""

from __future__ import annotations

import secrets

from psycopg import sql

from config.settings import Settings
from provisioning.servers import SINCE_16, WATCH, Connection, cell_dsn, connect_as_provisioner, connect_to_control
from tenants.runtime import CELL_DSN

CAPACITY = 100
_ONE_AT_A_TIME = 0x51_42_02

_WITH_ROOM = """
    SELECT c.name FROM cells c WHERE c.accepts_new
       AND (SELECT count(*) FROM tenants t WHERE t.cell_name = c.name AND t.state <> 'closed') < c.capacity
     ORDER BY c.name LIMIT 1
"""
_NEXT_NUMBER = """
    SELECT coalesce(max(substr(rolname, 9)::int), 0) + 1 FROM pg_roles WHERE rolname ~ '^qb_cell_[0-9]{1,9}$'
"""


def ensure_cell(settings: Settings) -> str:
    """The name of a cell that can take one tenant more, made now when there is none."""
    with connect_to_control(settings) as control:
        found = control.execute(_WITH_ROOM).fetchone()
        if found is None:
            # Two that find every cell full make only one.
            control.execute("SELECT pg_catalog.pg_advisory_xact_lock(%s)", (_ONE_AT_A_TIME,))
            found = control.execute(_WITH_ROOM).fetchone()
        return str(found[0]) if found is not None else _make_cell(settings, control)


def reseal_cells(settings: Settings) -> int:
    """Seal each cell's DSN under the active key, so that an older key can be retired. Returns how many were changed."""
    changed = 0
    with connect_to_control(settings) as control:
        for name, sealed in control.execute("SELECT name, dsn FROM cells ORDER BY name").fetchall():
            opened = settings.keys.open(CELL_DSN, sealed, bound_to=name)
            if opened.is_stale:
                renewed = settings.keys.seal(CELL_DSN, opened.plaintext, bound_to=name)
                control.execute("UPDATE cells SET dsn = %s WHERE name = %s AND dsn = %s", (renewed, name, sealed))
                changed += 1
    return changed


def _make_cell(settings: Settings, control: Connection) -> str:
    password = secrets.token_urlsafe(32)
    # The login first: killed between the two, a login without rights and without a row stays behind.
    name = _make_login(settings, password)
    login = f"qb_{name}"
    sealed = settings.keys.seal(CELL_DSN, cell_dsn(settings, login, password).encode(), bound_to=name)
    control.execute(
        "INSERT INTO cells (name, login, dsn, capacity) VALUES (%s, %s, %s, %s)", (name, login, sealed, CAPACITY)
    )
    return name


def _make_login(settings: Settings, password: str) -> str:
    """A login that the server never had, so that two installations on one server don't take each other's."""
    with connect_as_provisioner(settings) as connection:
        row = connection.execute(_NEXT_NUMBER).fetchone()
        name = f"cell_{(row[0] if row else 1):03}"
        login, database = sql.Identifier(f"qb_{name}"), sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN NOINHERIT PASSWORD {}").format(login, password))
        connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, login))
        how = sql.SQL(" WITH INHERIT FALSE, SET TRUE" if connection.info.server_version >= SINCE_16 else "")
        connection.execute(sql.SQL("GRANT {} TO {}{}").format(sql.Identifier(WATCH), login, how))
    return name
