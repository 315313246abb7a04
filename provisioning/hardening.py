"""What PostgreSQL lets PUBLIC do by default and a tenant must not (docs/decisions/0001-isolation.md).

`SET LOCAL ROLE` alone doesn't keep tenants apart: in a test, one injected SELECT with set_config() and query_to_xml()
read another tenant's rows. Each query here lists what is still open and the statement that closes it, so that closing
it, checking it (`qikbiz doctor`) and instructing a DBA use the same text.
"""

from __future__ import annotations

from contextlib import suppress
from typing import LiteralString

from psycopg import errors

from provisioning.servers import OWNER, Connection

# System relations that PUBLIC keeps. None: our drivers ask for the version and settings before a tenant is entered,
# and nothing at run time reads a catalog. Add one only with the reason why no other tenant can be seen through it.
READABLE_BY_ALL: dict[str, str] = {}

_PUBLIC_IN = "EXISTS (SELECT FROM aclexplode(coalesce({acl}, acldefault('{kind}', {owner}))) WHERE grantee = 0)"

# SQL run from a string (the way back to another role), session settings, what is shared by all, and who else is busy.
_DANGEROUS = r"""(
    p.proname IN ('set_config', 'ts_stat', 'loread', 'lowrite', 'pg_notify', 'pg_logical_emit_message')
    OR p.proname ~ '(query|table|schema|database|cursor)_to_xml' OR p.proname ~ '^lo_'
    OR p.proname ~ '^pg_(try_)?advisory_' OR (p.proname = 'ts_rewrite' AND p.pronargs = 2)
    OR p.proname IN ('pg_lock_status', 'pg_export_snapshot', 'pg_get_userbyid')
    OR p.proname ~ '^pg_(stat_get_|describe_object|identify_object|(table|relation|total_relation|indexes)_size)'
)"""

_OPENINGS: tuple[str, ...] = (
    f"""SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', d.datname) FROM pg_database d
        WHERE d.datname = current_database() AND {_PUBLIC_IN.format(acl="d.datacl", kind="d", owner="d.datdba")}""",
    # Where no tenant is, a cell's login could still read and fill a disk; logins that prepare servers keep access.
    f"""SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC; GRANT CONNECT ON DATABASE %I TO %I',
                      d.datname, d.datname, current_user) FROM pg_database d
        WHERE d.datname IN ('postgres', 'template1') AND d.datname <> current_database()
          AND {_PUBLIC_IN.format(acl="d.datacl", kind="d", owner="d.datdba")}""",
    f"""SELECT format('REVOKE ALL ON SCHEMA %I FROM PUBLIC', n.nspname) FROM pg_namespace n
        WHERE n.nspname = 'public' AND {_PUBLIC_IN.format(acl="n.nspacl", kind="n", owner="n.nspowner")}""",
    f"""SELECT format('REVOKE ALL ON LANGUAGE %I FROM PUBLIC', l.lanname) FROM pg_language l
        WHERE l.lanpltrusted AND l.lanname <> 'sql'
          AND {_PUBLIC_IN.format(acl="l.lanacl", kind="l", owner="l.lanowner")}""",
    f"""SELECT format('REVOKE ALL ON ROUTINE %I.%I(%s) FROM PUBLIC', n.nspname, p.proname,
                      pg_get_function_identity_arguments(p.oid))
               || format('; GRANT EXECUTE ON ROUTINE %I.%I(%s) TO {OWNER}', n.nspname, p.proname,
                         pg_get_function_identity_arguments(p.oid))
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE (n.nspname NOT IN ('pg_catalog', 'information_schema') OR {_DANGEROUS})
          AND {_PUBLIC_IN.format(acl="p.proacl", kind="f", owner="p.proowner")}""",
    f"""SELECT format('REVOKE ALL ON %I.%I FROM PUBLIC; GRANT SELECT ON %I.%I TO {OWNER}',
                      n.nspname, c.relname, n.nspname, c.relname)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('pg_catalog', 'information_schema') AND c.relkind IN ('r', 'v', 'm', 'p', 'f')
          AND NOT (n.nspname || '.' || c.relname = ANY ($1))
          AND (EXISTS (SELECT FROM aclexplode(c.relacl) WHERE grantee = 0)
               OR EXISTS (SELECT FROM pg_attribute a, aclexplode(a.attacl) x
                          WHERE a.attrelid = c.oid AND a.attacl IS NOT NULL AND x.grantee = 0))""",
)


def openings(connection: Connection) -> list[str]:
    """The statements that would close what stands open in this database; empty when all is closed."""
    found: list[str] = []
    for question in _OPENINGS:
        found += [row[0] for row in connection.execute(_asked(question)).fetchall()]
    return found


def close_openings(connection: Connection) -> list[str]:
    """Close them in one transaction. Returns the statements that this login may not run, for the DBA."""
    statements = openings(connection)
    if not statements:
        return []
    try:
        with connection.transaction():
            connection.execute("; ".join(statements).encode())
    except errors.InsufficientPrivilege:
        _close_what_may_be_closed(connection, statements)
    # A revoke by a role that isn't the owner is only a warning, so what counts is what is still open.
    return openings(connection)


def _close_what_may_be_closed(connection: Connection, statements: list[str]) -> None:
    for statement in statements:
        with suppress(errors.InsufficientPrivilege), connection.transaction():
            connection.execute(statement.encode())


def _asked(question: str) -> bytes:
    names: LiteralString = "'{}'"
    listed = f"ARRAY[{', '.join(repr(name) for name in READABLE_BY_ALL)}]" if READABLE_BY_ALL else names
    return question.replace("$1", f"{listed}::text[]").encode()
