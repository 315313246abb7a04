"""The SQL that check and apply are made of: staged columns, ways to find a record, the planner's limits."""

from __future__ import annotations

from uuid import UUID

from psycopg import Connection
from psycopg.rows import TupleRow
from sqlalchemy.orm import Session

from qikbiz.transfer.imports.access_limits import owned_by
from qikbiz.transfer.imports.encoding import sql_value
from qikbiz.transfer.imports.plans import Plan

_UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
# From here on the planner, which has no statistics of rows just staged, is told to join by hashing.
MANY_ROWS = 20_000
# Among an import's counts: see `outcome_digest`.
OUTCOME = "outcome"
Link = Connection[TupleRow]


def link_of(session: Session) -> Link:
    """The driver's connection under a session: the same transaction, with COPY."""
    found = session.connection().connection.driver_connection
    assert isinstance(found, Connection)
    return found


def prepare_for(link: Link, rows: int) -> None:
    """Limits of this transaction only."""
    for setting in ("work_mem = '96MB'", "lock_timeout = '60s'"):
        link.execute(f"SET LOCAL {setting}")
    if rows > MANY_ROWS:
        link.execute("SET LOCAL enable_nestloop = off")


def run(link: Link, statement: str, **parameters: object) -> int:
    """Execute and give the number of rows touched."""
    return link.execute(statement, parameters).rowcount


def staged(plan: Plan, name: str, row: str = "r") -> str:
    """The staged text of a column. Arrays count from 1."""
    return f"{row}.values[{plan.place[name] + 1}]"


def value_of(plan: Plan, name: str, row: str = "r") -> str:
    """The staged value of a column, in the column's type."""
    whole = sql_value(plan.column_type(name), staged(plan, name, row))
    if name not in plan.record_type.address_lists.values():
        return whole
    # A single address without a label is staged alone, which spares a million lists of one.
    single, key = staged(plan, name[:-1], row), "address" if name == "emails" else "number"
    alone = f"jsonb_build_array(jsonb_build_object('label', '', '{key}', {single}))"
    is_alone = f"{staged(plan, name, row)} IS NULL AND {single} IS NOT NULL"
    return f"CASE WHEN {is_alone} THEN {alone} ELSE {whole} END"


def found_records(plan: Plan, *, many: bool) -> str:
    """A query of (row, id, version): the records alive that the key of each staged row of %(import)s finds."""
    table = plan.record_type.plural
    rows = (
        f"import_rows r JOIN {table} c ON c.deleted_at IS NULL AND r.import_id = %(import)s AND r.outcome <> 'invalid'"
        f"{owned_by(plan.limits.seen, 'c')}"
    )
    if plan.key in ("name", "name_company"):
        return f"SELECT r.row, c.id, c.version FROM {rows} AND r.key IS NOT NULL AND {_is_of_the_name(plan)}"
    key = "r.key::uuid" if plan.key == "id" else "r.key"
    by_column = f"SELECT r.row, c.id, c.version FROM {rows} AND c.{plan.key} = {key}"
    if plan.key == "domain" and "name" in plan.place:
        return f"{by_column} UNION {_by_name_without_domain(plan, rows)}"
    if plan.key != "email" or "email" not in plan.record_type.address_lists:
        return by_column
    return f"{by_column} UNION {_by_further_email(plan, rows, many=many)}"


def same_name(one: str, other: str) -> str:
    """Accents count, case does not, as for `name_key`. The index on `sort_name`, which has neither, finds them."""
    return f"lower({one}) = lower({other})"


def is_company(plan: Plan, alias: str, row: str = "r", *, key: str = "company_key", named: str = "company_name") -> str:
    """SQL that is true of the companies that a staged row names, as far as the person may see them."""
    name = same_name(f"{alias}.name", staged(plan, named, row))
    return (
        f"{alias}.sort_name = {staged(plan, key, row)} AND {name} AND {alias}.deleted_at IS NULL"
        f"{owned_by(plan.limits.companies, alias)}"
    )


def is_parent_by_id(plan: Plan, alias: str, row: str = "r") -> str:
    """SQL that is true of the company whose id a staged row gives as its parent, as exports of ours do."""
    key = staged(plan, "parent_key", row)
    ident = f"CASE WHEN {key} ~ '{_UUID}' THEN {key}::uuid END"
    return f"{alias}.id = {ident} AND {alias}.deleted_at IS NULL{owned_by(plan.limits.companies, alias)}"


def is_parent_by_name(plan: Plan, alias: str, row: str = "r") -> str:
    return is_company(plan, alias, row, key="parent_key", named="parent_id")


def _by_name_without_domain(plan: Plan, rows: str) -> str:
    """Companies made from the names in a list of contacts have no domain yet; a row may have none either."""
    known = f"SELECT FROM companies d WHERE d.domain = r.key AND d.deleted_at IS NULL{owned_by(plan.limits.seen, 'd')}"
    return (
        f"SELECT r.row, c.id, c.version FROM {rows} AND (r.key IS NULL OR c.domain IS NULL) "
        f"AND {_is_of_the_name(plan)} WHERE NOT EXISTS ({known})"
    )


def _is_of_the_name(plan: Plan) -> str:
    wanted = [f"c.sort_name = {staged(plan, 'sort_name')}"]
    if plan.key != "name_company":
        return f"{wanted[0]} AND {same_name('c.name', staged(plan, 'name'))}"
    company = "coalesce((SELECT k.name FROM companies k WHERE k.id = c.company_id), c.company_name, '')"
    names = {name: f"coalesce(c.{name}, '')" for name in ("first_name", "last_name")} | {"company_name": company}
    for name, kept in names.items():
        wanted.append(same_name(kept, f"coalesce({staged(plan, name)}, '')" if name in plan.place else "''"))
    return " AND ".join(wanted)


def _by_further_email(plan: Plan, rows: str, *, many: bool) -> str:
    if not many:
        return (
            f"SELECT r.row, c.id, c.version FROM {rows} AND c.other_emails <> '{{}}' AND c.other_emails @> ARRAY[r.key]"
        )
    further = (
        f"SELECT id, version, unnest(other_emails) AS email FROM {plan.record_type.plural} o "
        f"WHERE other_emails <> '{{}}' AND deleted_at IS NULL{owned_by(plan.limits.seen, 'o')}"
    )
    return (
        f"SELECT r.row, c.id, c.version FROM import_rows r JOIN ({further}) c ON c.email = r.key "
        "AND r.import_id = %(import)s AND r.outcome <> 'invalid'"
    )


def counts_of(link: Link, import_id: UUID) -> dict[str, int]:
    """How many rows have each outcome; every outcome is named."""
    counts = dict.fromkeys(("created", "updated", "unchanged", "invalid"), 0)
    query = "SELECT outcome, count(*) FROM import_rows WHERE import_id = %s GROUP BY outcome"
    return counts | dict(link.execute(query, (import_id,)).fetchall())


def outcome_digest(link: Link, import_id: UUID) -> str:
    """Of what each row does, to which record at which version. The same file checked again gives it again, unless
    somebody changed a record that it is about."""
    query = (
        "SELECT coalesce(sum(hash_record_extended(row(r.row, r.outcome, r.record_id, r.version), 0)::numeric), 0) "
        "FROM import_rows r WHERE r.import_id = %s"
    )
    (digest,) = link.execute(query, (import_id,)).fetchone() or ("",)
    return str(digest)


def skipped_of(link: Link, import_id: UUID) -> dict[str, int]:
    """How many cells are skipped, in how many of the rows that can be imported."""
    query = (
        "SELECT coalesce(sum(jsonb_array_length(skipped)), 0), count(*) FROM import_rows "
        "WHERE import_id = %s AND skipped IS NOT NULL AND outcome <> 'invalid'"
    )
    cells, rows = link.execute(query, (import_id,)).fetchone() or (0, 0)
    return {"skipped_cells": int(cells), "skipped_rows": int(rows)}


_CHANGES = """
    SELECT count(*), encode(sha256(coalesce(string_agg(sha256(convert_to(
           concat_ws('|', id, record_id, version, kind, changes), 'UTF8')), ''::bytea ORDER BY id), ''::bytea)), 'hex')
      FROM record_changes WHERE import_id = %s AND source = %s
"""


def changes_written(link: Link, import_id: UUID, source: str) -> dict[str, object]:
    """What the audit says of an import's changes: their number and one hash over all of them, old and new values too.

    An entry for each of a million records would keep everybody else waiting; docs/audit-format.md says how it is made.
    """
    count, digest = link.execute(_CHANGES, (import_id, source)).fetchone() or (0, "")
    return {"changed_records": count, "changes_sha256": digest} if count else {}
