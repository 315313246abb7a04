"""What there is of a tenant, counted before it is erased, for the certificate."""

from __future__ import annotations

from uuid import UUID

from psycopg import sql

from config.settings import Settings
from provisioning.servers import OWNER, connect_as_provisioner
from qikbiz.kernel.errors import Unavailable
from tenants.redis import RedisAway
from tenants.runtime import Runtime

KEYS_AT_ONCE = 500
_TABLES = """
    SELECT c.relname, pg_total_relation_size(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = %s AND c.relkind = 'r' ORDER BY c.relname
"""


def count_everything(settings: Settings, runtime: Runtime, tenant_id: UUID, schema: str) -> dict[str, object]:
    """Tables, rows, files, bytes and keys in the cache. Raises Unavailable when Redis is away."""
    tables, rows, size = _tables(settings, schema)
    files = [path for folder in settings.files.glob(f"*/{tenant_id}") for path in folder.rglob("*") if path.is_file()]
    return {
        "tables": tables,
        "rows": rows,
        "table_bytes": size,
        "files": len(files),
        "file_bytes": sum(path.stat().st_size for path in files),
        "cache_keys": _keys(runtime, tenant_id),
    }


def _tables(settings: Settings, schema: str) -> tuple[int, int, int]:
    with connect_as_provisioner(settings) as connection:
        found = connection.execute(_TABLES, (schema,)).fetchall()
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(OWNER)))
        rows = 0
        for name, _ in found:
            counted = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, name)))
            rows += (counted.fetchone() or (0,))[0]
    return len(found), rows, sum(size for _, size in found)


def _keys(runtime: Runtime, tenant_id: UUID) -> int:
    try:
        with runtime.redis.client() as client:
            pattern = runtime.redis.tenant_key(tenant_id, "*")
            return sum(1 for _ in client.scan_iter(match=pattern, count=KEYS_AT_ONCE))
    except RedisAway as error:
        raise Unavailable("Redis is not available. The erasure starts at the next attempt.") from error
