"""How much each tenant keeps: measured from outside, now and then, so that the fleet's list costs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg import sql
from psycopg.errors import LockNotAvailable, UndefinedTable

from config.settings import Settings
from provisioning.schema_versions import Place
from provisioning.servers import OWNER, Connection, connect_as_provisioner, connect_to_control
from qikbiz.crm.schema.registry import RECORD_TYPES

_SIZES = """
    SELECT n.nspname, sum(pg_total_relation_size(c.oid))::bigint
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND n.nspname = ANY (%s) GROUP BY n.nspname
"""


@dataclass(frozen=True)
class Figures:
    """`bytes` on disk with indexes; `last_seen` of any user."""

    users: int
    records: int
    bytes: int
    last_seen: datetime | None


def measure_tenants(settings: Settings, slug: str | None = None) -> int:
    """Measure every tenant (or one) and keep the figures in the control database. Returns how many were measured."""
    measured = 0
    with connect_to_control(settings) as control, connect_as_provisioner(settings, autocommit=True) as tenants:
        places = _places(control, slug)
        control.commit()
        tenants.execute("SET lock_timeout = '1s'")
        sizes: dict[str, int] = dict(tenants.execute(_SIZES, ([place.schema for place in places],)).fetchall())
        tenants.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(OWNER)))
        for place in places:
            figures = _figures(tenants, place, sizes.get(place.schema, 0))
            if figures is not None:
                _keep(control, place.tenant_id, figures)
                measured += 1
    return measured


def refresh_estimates(settings: Settings, schema: str, tables: Sequence[str]) -> None:
    """Let the planner know tables that were just filled, rather than when the server finds the time."""
    with connect_as_provisioner(settings, autocommit=True) as connection:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(OWNER)))
        names = [sql.Identifier(schema, table) for table in tables]
        connection.execute(sql.SQL("ANALYZE {}").format(sql.SQL(", ").join(names)))


def _places(control: Connection, slug: str | None) -> list[Place]:
    question = """SELECT id, slug, schema_name, role_name FROM tenants
                   WHERE state IN ('active', 'suspended', 'closing') AND (%s::text IS NULL OR slug = %s) ORDER BY id"""
    return [Place(*row) for row in control.execute(question, (slug, slug)).fetchall()]


def _figures(connection: Connection, place: Place, size: int) -> Figures | None:
    question = sql.SQL("SELECT count(*), max(last_seen_at) FROM {}").format(sql.Identifier(place.schema, "users"))
    try:
        users, last_seen = connection.execute(question).fetchone() or (0, None)
        records = sum(_count(connection, place.schema, table) for table in RECORD_TYPES)
    except (UndefinedTable, LockNotAvailable):
        return None  # being erased or migrated right now: the old figures stand
    return Figures(users, records, size, last_seen)


def _count(connection: Connection, schema: str, table: str) -> int:
    """Exact while a table is small, the planner's estimate when counting would take its time."""
    name = f'"{schema}"."{table}"'
    row = connection.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(%s)", (name,)).fetchone()
    if row is not None and row[0] > 100_000:
        return int(row[0])
    found = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))).fetchone()
    return int(found[0]) if found else 0


def _keep(control: Connection, tenant_id: UUID, figures: Figures) -> None:
    # No directory version: no decision depends on these.
    control.execute(
        """UPDATE tenants SET users = %s, records = %s, bytes = %s, last_seen_at = coalesce(%s, last_seen_at),
                  measured_at = now() WHERE id = %s""",
        (figures.users, figures.records, figures.bytes, figures.last_seen, tenant_id),
    )
    control.commit()
