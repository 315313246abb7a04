"""Make the notary's role, schema, tables and functions, and give the login of the program only what it needs.

The program's login may read, ask for an announcement by `notices.announce`, take one back, add to the watch, and have
the time of a closing account begin, extended or cancelled. It can't set the moment of any of them, change a row, or
touch the calendar.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psycopg
from psycopg import sql

from config.settings import Settings
from provisioning.notary.calendar import fill_calendar
from provisioning.servers import (
    Connection,
    connect_as_provisioner,
    connect_to_control,
    control_parts,
    same_server,
)
from qikbiz.trust.privacy.bundled_versions import founding_statement

NOTARY = "qb_notary"
SCHEMA = "notices"
_HERE = Path(__file__).parent
_MAY_CREATE = "SELECT has_database_privilege(current_database(), 'CREATE')"
_RIGHTS = (
    "REVOKE ALL ON SCHEMA notices FROM PUBLIC",
    "REVOKE ALL ON ALL TABLES IN SCHEMA notices FROM PUBLIC",
    "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA notices FROM PUBLIC",
    "GRANT USAGE ON SCHEMA notices TO {login}",
    "GRANT SELECT ON ALL TABLES IN SCHEMA notices TO {login}",
    "GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA notices TO {login}",
    "GRANT INSERT (version, stood, page_sha256, remark) ON notices.watch TO {login}",
)


def install_notary(settings: Settings) -> None:
    """Bring the notices to what this program needs; changes nothing that was announced."""
    login = str(control_parts(settings)["user"])
    with _connection(settings) as connection:
        if connection.info.user != login:
            _become_notary(connection)
        _write(connection, login)
        fill_calendar(connection, settings.holiday_countries)
    _announce_founding_statement(settings)


def serving_login_is_notary(settings: Settings) -> bool:
    """Whether the login that serves requests owns the notices, and so could do with them what it likes."""
    with connect_to_control(settings) as control:
        question = "SELECT pg_has_role(current_user, nspowner, 'MEMBER') FROM pg_namespace WHERE nspname = %s"
        row = control.execute(question, (SCHEMA,)).fetchone()
    return row is None or bool(row[0])


def _connection(settings: Settings) -> Connection:
    """As the provisioner if it can connect to the control database; else as the program, which doctor reports."""
    if settings.embedded or same_server(settings):
        with suppress(psycopg.OperationalError):
            connection = connect_as_provisioner(settings, database=str(control_parts(settings)["dbname"]))
            if connection.execute(_MAY_CREATE).fetchone() == (True,):
                return connection
            connection.close()
    return connect_to_control(settings)


def _become_notary(connection: Connection) -> None:
    notary = sql.Identifier(NOTARY)
    if not _has_schema(connection):
        connection.execute(sql.SQL("CREATE SCHEMA {} AUTHORIZATION {}").format(sql.Identifier(SCHEMA), notary))
    connection.execute(sql.SQL("SET LOCAL ROLE {}").format(notary))


def _write(connection: Connection, login: str) -> None:
    if not _has_schema(connection):
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(SCHEMA)))
    connection.execute("SET LOCAL search_path = notices, pg_temp")
    _run(connection, "functions.sql")
    if connection.execute("SELECT to_regclass('notices.statements')").fetchone() == (None,):
        _run(connection, "schema.sql")
    _run(connection, "counting.sql")
    if connection.execute("SELECT to_regclass('notices.retrievals')").fetchone() == (None,):
        _run(connection, "retrieval_tables.sql")
    _run(connection, "retrieval.sql")
    for right in _RIGHTS:
        connection.execute(sql.SQL(right).format(login=sql.Identifier(login)))


def _announce_founding_statement(settings: Settings) -> None:
    """The first version needs no notice: before it there was nothing that it could change."""
    founding = founding_statement()
    with connect_to_control(settings) as control:
        if control.execute("SELECT FROM notices.statements LIMIT 1").fetchone() is None:
            control.execute(
                "SELECT notices.announce(1, %s, true, %s, 'QikBiz')", (founding.text.source, founding.effective_on)
            )


def _run(connection: Connection, name: str) -> None:
    connection.execute((_HERE / name).read_bytes())


def _has_schema(connection: Connection) -> bool:
    return connection.execute("SELECT FROM pg_namespace WHERE nspname = %s", (SCHEMA,)).fetchone() is not None
