"""Taking from a tenant's database roles the right to change its records while its account closes; giving it back.

Only the owner of the tables can; so this is the provisioner's, and the program's own refusals come on top.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import errors, sql

from config.settings import Settings
from provisioning.servers import OWNER, Connection, connect_as_provisioner
from qikbiz.crm.schema.registry import record_tables
from qikbiz.kernel.errors import Unavailable

# The tenant's own role and guests'; rights on single columns count as well.
_HOLDERS = """
    SELECT DISTINCT pg_catalog.pg_get_userbyid(x.grantee)
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attacl IS NOT NULL
     CROSS JOIN LATERAL aclexplode(c.relacl || coalesce(a.attacl, '{}')) x
     WHERE n.nspname = %s AND c.relname = ANY (%s) AND x.grantee <> c.relowner
       AND x.privilege_type IN ('INSERT', 'UPDATE', 'DELETE')
"""


def refuse_changes(settings: Settings, schema: str) -> None:
    """Take the right to change records from every role that has it: the database refuses what the program overlooks."""
    with _as_owner(settings) as connection:
        for (role,) in connection.execute(_HOLDERS, (schema, list(record_tables()))).fetchall():
            statement = sql.SQL("REVOKE INSERT, UPDATE, DELETE ON {} FROM {}")
            connection.execute(statement.format(_tables(schema), sql.Identifier(role)))


def allow_changes(settings: Settings, schema: str, role: str) -> None:
    """Give it back to the tenant's own role. Guests get theirs with their next grant."""
    with _as_owner(settings) as connection:
        statement = sql.SQL("GRANT INSERT, UPDATE, DELETE ON {} TO {}")
        connection.execute(statement.format(_tables(schema), sql.Identifier(role)))


def _tables(schema: str) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(schema, name) for name in record_tables())


@contextmanager
def _as_owner(settings: Settings) -> Iterator[Connection]:
    try:
        with connect_as_provisioner(settings) as connection:
            connection.execute("SET LOCAL lock_timeout = '5s'")
            connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(OWNER)))
            yield connection
    except (errors.LockNotAvailable, errors.DeadlockDetected) as error:
        raise Unavailable("These tables are still in use. The next round tries again.") from error
