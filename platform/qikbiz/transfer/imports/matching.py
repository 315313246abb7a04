"""Which staged rows are new, which find a record, which can't be imported: a few statements, whatever the size."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from qikbiz.transfer.imports.access_limits import owned_by
from qikbiz.transfer.imports.mapping import key_label
from qikbiz.transfer.imports.plans import Plan
from qikbiz.transfer.imports.record_links import settle_links
from qikbiz.transfer.imports.refusals import problem_of, refuse
from qikbiz.transfer.imports.sql import MANY_ROWS, Link, found_records, run

_OTHER = {"email": "address", "domain": "spelling of it"}


def match(link: Link, plan: Plan, import_id: UUID, rows: int, header: Sequence[str]) -> None:
    """Give each staged row its outcome; `unchanged` still means "finds a record" here."""
    settle_links(link, plan, import_id, header)
    _refuse_doubles(link, plan, import_id)
    _find_records(link, plan, import_id, many=rows > MANY_ROWS)
    _refuse_second_rows_of_a_record(link, plan, import_id)
    _refuse_what_may_not_be_changed(link, plan, import_id)
    _refuse_what_the_mode_excludes(link, plan, import_id)
    # Without the cells that were skipped there is no name: they are why the row can't be imported.
    refuse(link, import_id, "r.outcome = 'nameless'", problem="coalesce(r.skipped, '[]') || r.problems")


def _refuse_doubles(link: Link, plan: Plan, import_id: UUID) -> None:
    doubles = (
        "(SELECT key, min(row) AS first FROM import_rows WHERE import_id = %(import)s AND outcome <> 'invalid' "
        "AND key IS NOT NULL GROUP BY key HAVING count(*) > 1) d"
    )
    reason = f"format('Row %%s has the same {key_label(plan.record_type, plan.key)}.', d.first)"
    problem = problem_of("replace(r.key, E'\\x1f', ', ')", reason, "Leave one of the two rows out.", keeps_line=True)
    refuse(link, import_id, "r.key = d.key AND r.row <> d.first", source=doubles, problem=problem)


def _find_records(link: Link, plan: Plan, import_id: UUID, *, many: bool) -> None:
    found = (
        "SELECT row, count(*) AS number, (array_agg(id ORDER BY id))[1] AS id, (array_agg(version ORDER BY "
        "id))[1] AS version "
        f"FROM ({found_records(plan, many=many)}) each GROUP BY row"
    )
    label = "domain or name" if plan.key == "domain" else key_label(plan.record_type, plan.key)
    reason = (
        f"format('%%s {plan.record_type.plural} have this {label}, so it is unclear which one is meant.', f.number)"
    )
    problem = problem_of(
        "replace(r.key, E'\\x1f', ', ')", reason, "Merge or correct them first, or match by record ID."
    )
    run(
        link,
        f"UPDATE import_rows r SET outcome = CASE WHEN f.number > 1 THEN 'invalid' ELSE 'unchanged' END, "
        f"problems = CASE WHEN f.number > 1 THEN {problem} END, "
        "record_id = CASE WHEN f.number = 1 THEN f.id END, version = f.version "
        f"FROM ({found}) f WHERE r.import_id = %(import)s AND r.row = f.row",
        **{"import": import_id},
    )


def _refuse_second_rows_of_a_record(link: Link, plan: Plan, import_id: UUID) -> None:
    """Two addresses of one person stand in two rows, or a company once with its domain and once without."""
    if plan.key not in ("email", "domain"):
        return
    doubles = (
        "(SELECT record_id, min(row) AS first FROM import_rows WHERE import_id = %(import)s AND record_id IS NOT NULL "
        "AND outcome = 'unchanged' GROUP BY record_id HAVING count(*) > 1) d"
    )
    reason = f"format('Row %%s finds the same {plan.record_type.name}, by another {_OTHER[plan.key]}.', d.first)"
    problem = problem_of("coalesce(r.key, '')", reason, "Put both into one row.", keeps_line=True)
    refuse(link, import_id, "r.record_id = d.record_id AND r.row <> d.first", source=doubles, problem=problem)


def _refuse_what_may_not_be_changed(link: Link, plan: Plan, import_id: UUID) -> None:
    if plan.limits.changed is None:
        return
    table, name = plan.record_type.plural, plan.record_type.name
    reached = f"SELECT FROM {table} c WHERE c.id = r.record_id{owned_by(plan.limits.changed, 'c')}"
    problem = problem_of("r.key", f"'You may see this {name}, but not change it.'", "Ask its owner to change it.")
    refuse(link, import_id, f"r.outcome = 'unchanged' AND NOT EXISTS ({reached})", problem=problem)


def _refuse_what_the_mode_excludes(link: Link, plan: Plan, import_id: UUID) -> None:
    label, name = key_label(plan.record_type, plan.key), plan.record_type.name
    is_new = "r.outcome IN ('created', 'nameless')"
    if plan.mode == "create":
        problem = problem_of(
            "r.key",
            f"'A {name} with this {label} already exists, and this import only creates records.'",
            "Choose “Create and update” to update existing records too.",
        )
        refuse(link, import_id, "r.outcome = 'unchanged'", problem=problem)
    if plan.mode == "update":
        no_key = problem_of(
            "''", f"'The row has no {label}, by which existing {plan.record_type.plural} are found.'", "Enter a value."
        )
        refuse(link, import_id, f"{is_new} AND r.key IS NULL", problem=no_key)
    if plan.mode == "update" or plan.key == "id":
        advice = (
            "Choose “Create and update” to create new records too."
            if plan.key != "id"
            else "Leave the id empty to create a new one."
        )
        problem = problem_of("r.key", f"'No {name} has this {label}.'", advice)
        refuse(link, import_id, f"{is_new} AND r.key IS NOT NULL", problem=problem)


def conflicts_since(link: Link, plan: Plan, import_id: UUID, rows: int, *, limit: int = 50) -> list[dict[str, object]]:
    """What was changed or added since the check, so that the import would do something else than shown."""
    table = plan.record_type.plural
    changed = (
        "SELECT r.row FROM import_rows r WHERE r.import_id = %(import)s AND r.outcome IN ('unchanged', "
        "'updated') AND NOT EXISTS "
        f"(SELECT FROM {table} c WHERE c.id = r.record_id AND c.version = r.version AND c.deleted_at IS NULL)"
    )
    added = (
        f"SELECT f.row FROM ({found_records(plan, many=rows > MANY_ROWS)}) f JOIN import_rows n ON n.import_id "
        "= %(import)s AND n.row = f.row AND n.outcome = 'created'"
    )
    query = (
        f"SELECT row, why FROM (SELECT row, 'changed' AS why FROM ({changed}) a UNION SELECT row, 'added' FROM "
        f"({added}) b) c ORDER BY row LIMIT {limit}"
    )
    found = link.execute(query, {"import": import_id}).fetchall()
    return [{"row": row, "why": why} for row, why in found]
