"""Two tenants that differ in nothing but what is written in them: the same ids, another canary in each."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from psycopg import sql
from sqlalchemy import text

from provisioning.servers import Connection
from qikbiz.kernel.database import tenant_transaction
from tenants.context import Tenant

IDS = tuple(UUID(int=number) for number in range(1, 6))


@dataclass(frozen=True)
class Twins:
    left: Tenant
    right: Tenant

    def canary(self, tenant: Tenant) -> str:
        return "canary-of-left" if tenant.id == self.left.id else "canary-of-right"


def make_twins(fresh_tenant: Callable[..., Tenant]) -> Twins:
    """Inside an application context."""
    left, right = fresh_tenant("Left Customer Ltd"), fresh_tenant("Right Customer Ltd")
    if left.cell != right.cell:
        # Both are in one cell: only there can one login become either of them.
        left, right = right, fresh_tenant("Right Customer Ltd")
    twins = Twins(left, right)
    for tenant in (left, right):
        with tenant_transaction(tenant) as session:
            rows = [{"id": id_, "name": twins.canary(tenant)} for id_ in IDS]
            session.execute(text("INSERT INTO contacts (id, last_name, sort_name) VALUES (:id, :name, :name)"), rows)
    return twins


def checksum(owner: Connection, tenant: Tenant) -> str:
    """One number over every row of every table of the tenant, taken from outside."""
    tables = owner.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r' ORDER BY 1",
        (tenant.schema,),
    ).fetchall()
    sums = []
    for (table,) in tables:
        question = sql.SQL("SELECT count(*) || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') FROM {} t")
        row = owner.execute(question.format(sql.Identifier(tenant.schema, table))).fetchone()
        sums.append(f"{table}={row[0] if row else ''}")
    return ";".join(sums)
