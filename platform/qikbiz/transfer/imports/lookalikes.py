"""Rows that will be created although a record is called alike: shown before the import, never decided by it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from qikbiz.crm.records.field_access import visible_type
from qikbiz.crm.records.row_access import shown_column, visible_rows
from qikbiz.crm.schema.registry import record_type
from qikbiz.kernel.database import db
from qikbiz.kernel.permissions import Action
from qikbiz.transfer.imports.access_limits import owned_by
from qikbiz.transfer.imports.models import Import
from qikbiz.transfer.imports.plans import Plan
from qikbiz.transfer.imports.sql import Link, is_company, staged

SHOWN = 10
# Where an import's counts keep them: {"rows": how many, "pairs": [[row, type of record, its id], …]}.
COUNT = "similar"


def lookalikes(link: Link, plan: Plan, import_id: UUID) -> dict[str, object]:
    """How many rows there are like it, and the first of them with the record that each is like."""
    found: list[list[object]] = []
    rows = 0
    for kind, query in _queries(plan):
        listed = link.execute(query, {"import": import_id}).fetchall()
        rows += listed[0][2] if listed else 0
        found += [[row, kind, str(ident)] for row, ident, _ in listed]
    return {"rows": rows, "pairs": sorted(found)[:SHOWN]}


def shown_lookalikes(found: Import) -> list[tuple[int, str, str, UUID]]:
    """(row, type, name, id) of the records that the first of these rows are like, as far as this person sees them."""
    pairs = (found.counts.get(COUNT) or {}).get("pairs", [])
    shown = []
    for kind in {kind for _, kind, _ in pairs}:
        known = visible_type(record_type(kind))
        ids = [UUID(ident) for _, one, ident in pairs if one == kind]
        columns = [shown_column(known, name) for name in ("id", *known.name_columns)]
        model = known.model
        query = select(*columns).where(model.id.in_(ids), *visible_rows(known, Action.SEE))
        names = {row.id: known.name_of(row._asdict()) for row in db.session.execute(query)}
        shown += [(row, kind, names[UUID(ident)], UUID(ident)) for row, _, ident in pairs if UUID(ident) in names]
    return sorted(shown)


def _queries(plan: Plan) -> list[tuple[str, str]]:
    """For each type of record a query of (row, id, how many rows in all)."""
    queries = [(plan.record_type.plural, _records_alike(plan))]
    if plan.links_companies:
        queries.append(("companies", _companies_alike(plan)))
    return queries


def _records_alike(plan: Plan) -> str:
    """Contacts have namesakes: they count where the name decides, or nothing else does."""
    which = "" if plan.key in ("name", "name_company", "domain") else " AND r.key IS NULL"
    table, name = plan.record_type.plural, staged(plan, "sort_name")
    return _numbered(
        f"SELECT r.row, min(c.id::text) AS id FROM import_rows r JOIN {table} c ON c.sort_name = {name} "
        f"AND c.deleted_at IS NULL AND {name} <> ''{owned_by(plan.limits.seen, 'c')} "
        f"WHERE r.import_id = %(import)s AND r.outcome = 'created'{which} GROUP BY r.row"
    )


def _companies_alike(plan: Plan) -> str:
    key = staged(plan, "company_key")
    exact = f"SELECT FROM companies e WHERE {is_company(plan, 'e')}"
    return _numbered(
        f"SELECT r.row, min(k.id::text) AS id FROM import_rows r JOIN companies k ON k.sort_name = {key} "
        f"AND k.deleted_at IS NULL{owned_by(plan.limits.companies, 'k')} WHERE r.import_id = %(import)s "
        f"AND r.outcome IN ('created', 'updated') AND NOT EXISTS ({exact}) GROUP BY r.row"
    )


def _numbered(query: str) -> str:
    return f"SELECT row, id, count(*) OVER () FROM ({query}) alike ORDER BY row LIMIT {SHOWN}"
