"""The list of tenants as the command prints it. It loads no more than a driver, so that it answers at once."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import dict_row

from config.settings import Settings
from provisioning.servers import connect_to_control
from provisioning.usage import measure_tenants

# Up to so many tenants a list measures first; beyond that it shows what the last round measured.
_MEASURED_AT_ONCE = 100
_IN_LIST = ("slug", "name", "state", "version", "users", "records", "bytes", "last_seen")
_LIST = """
    SELECT slug, name, state, version, users, records, bytes, last_seen_at AS last_seen, schema_name AS schema,
           role_name AS role, cell_name AS cell, accent, state_reason, delete_after, created_at, id::text,
           ARRAY (SELECT host FROM domains
                   WHERE tenant_id = tenants.id AND verified_at IS NOT NULL ORDER BY host) AS hosts
      FROM tenants WHERE %(everything)s OR state <> 'closed' ORDER BY slug
"""


@dataclass(frozen=True)
class TenantFacts:
    """A tenant as commands print it."""

    slug: str
    name: str
    state: str
    version: str
    users: int
    records: int
    bytes: int
    last_seen: datetime | None
    url: str
    hosts: list[str]
    schema: str
    role: str
    cell: str
    accent: str
    state_reason: str
    delete_after: datetime | None
    created_at: datetime
    id: str

    def as_dict(self, *, in_full: bool = False) -> dict[str, object]:
        every = asdict(self)
        return every if in_full else {name: every[name] for name in _IN_LIST}


def list_tenants(settings: Settings, *, everything: bool = False) -> list[TenantFacts]:
    with connect_to_control(settings) as control:
        row = control.execute("SELECT count(*) FROM tenants").fetchone()
    if settings.provisioner_url and row is not None and row[0] <= _MEASURED_AT_ONCE:
        measure_tenants(settings)
    with connect_to_control(settings) as control, control.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_LIST, {"everything": everything}).fetchall()
    return [_facts(settings, row) for row in rows]


def _facts(settings: Settings, row: dict[str, Any]) -> TenantFacts:
    own = f"{row['slug']}.{settings.base_domain}"
    return TenantFacts(**(row | {"url": settings.origin(own), "hosts": [own, *row["hosts"]]}))
