"""Work in one tenant's schema with the rights of its owner: what the tenant's own role may never do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import sql

from config.settings import Settings
from provisioning.servers import OWNER, Connection, connect_as_provisioner
from tenants.context import Tenant


@contextmanager
def as_owner(settings: Settings, tenant: Tenant) -> Iterator[Connection]:
    """One transaction, committed at the end of the block and rolled back on any exception. Raises NoProvisioner."""
    with connect_as_provisioner(settings) as connection:
        for statement in (
            sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(OWNER)),
            sql.SQL("SET LOCAL search_path = {}, pg_temp").format(sql.Identifier(tenant.schema)),
            sql.SQL("SET LOCAL lock_timeout = '5s'"),
            sql.SQL("SET LOCAL TimeZone = 'UTC'"),
        ):
            connection.execute(statement)
        yield connection
