"""Cells that name other records: companies of contacts, parents of companies, whom somebody reports to."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from qikbiz.imports.cell_policy import REFUSE
from qikbiz.imports.plans import Plan
from qikbiz.imports.reach import owned_by
from qikbiz.imports.refusals import USABLE, problem_of, refuse
from qikbiz.imports.sql import Link, is_company, is_parent_by_id, is_parent_by_name, run, same_name, staged

_SEVERAL = "Several companies have this name, so it is not sure which one is meant."
_RENAME = "Give them different names first."
_HEADING = "%(heading)s::text"


def settle_links(link: Link, plan: Plan, import_id: UUID, header: Sequence[str]) -> None:
    """Refuse rows, or skip the cells, whose links can't be made. `header` are the headings of the file."""
    if plan.links_companies:
        _refuse_ambiguous_companies(link, plan, import_id)
        _refuse_new_companies(link, plan, import_id)
    if plan.links_parents:
        _skip_unsure_parents(link, plan, import_id, header)
    if "reports_to_id" in plan.place:
        ident = staged(plan, "reports_to_id")
        unknown = f"NOT EXISTS (SELECT FROM contacts k WHERE k.id = {ident}::uuid{owned_by(plan.limits.contacts, 'k')})"
        problem = problem_of(ident, "'No contact has this id.'", "Use the id from an export.", column=_HEADING)
        _skip(link, plan, import_id, header, name="reports_to_id", condition=unknown, problem=problem)


def _skip_unsure_parents(link: Link, plan: Plan, import_id: UUID, header: Sequence[str]) -> None:
    named = staged(plan, "parent_id")
    is_one_of_several = f"{staged(plan, 'parent_key')} = k.sort_name AND {same_name('k.name', named)}"
    problem = problem_of(named, f"'{_SEVERAL}'", _RENAME, column=_HEADING)
    source = f"FROM {_several_companies(plan)}"
    _skip(link, plan, import_id, header, name="parent_id", condition=is_one_of_several, problem=problem, source=source)
    unknown = (
        f"NOT EXISTS (SELECT FROM companies k WHERE {is_parent_by_name(plan, 'k')}) "
        f"AND NOT EXISTS (SELECT FROM companies k WHERE {is_parent_by_id(plan, 'k')})"
    )
    problem = problem_of(named, "'There is no company of this name.'", "Import it first.", column=_HEADING)
    _skip(link, plan, import_id, header, name="parent_id", condition=unknown, problem=problem)


def _skip(
    link: Link,
    plan: Plan,
    import_id: UUID,
    header: Sequence[str],
    *,
    name: str,
    condition: str,
    problem: str,
    source: str = "",
) -> None:
    """Skip the cell as one that can't be read, or refuse its row where that was chosen for its column."""
    place = next(column.place for column in plan.mapping.columns if column.field == name)
    written = f"skipped = coalesce(r.skipped, '[]') || {problem}"
    if plan.cells.of(place) == REFUSE:
        written = f"outcome = 'invalid', problems = {problem}"
    cleared = [name, "parent_key"] if name == "parent_id" else [name]
    empty = ", ".join(f"values[{plan.place[one] + 1}] = NULL" for one in cleared)
    run(
        link,
        f"UPDATE import_rows r SET {written}, {empty} {source} "
        f"WHERE {USABLE} AND {staged(plan, name)} IS NOT NULL AND {condition}",
        **{"import": import_id, "heading": header[place]},
    )


def _several_companies(plan: Plan) -> str:
    """Names that more than one company has, as the table k."""
    return (
        "(SELECT sort_name, lower(name) AS name FROM companies o WHERE deleted_at IS NULL AND sort_name <> ''"
        f"{owned_by(plan.limits.companies, 'o')} GROUP BY sort_name, lower(name) HAVING count(*) > 1) k"
    )


def _refuse_ambiguous_companies(link: Link, plan: Plan, import_id: UUID) -> None:
    is_named = f"{staged(plan, 'company_key')} = k.sort_name AND {same_name('k.name', staged(plan, 'company_name'))}"
    problem = problem_of(staged(plan, "company_name"), f"'{_SEVERAL}'", _RENAME)
    refuse(link, import_id, is_named, source=_several_companies(plan), problem=problem)


def _refuse_new_companies(link: Link, plan: Plan, import_id: UUID) -> None:
    if plan.limits.may_make_companies:
        return
    key = staged(plan, "company_key")
    known = f"SELECT FROM companies k WHERE {is_company(plan, 'k')}"
    reason = "'There is no company of this name, and your role does not let you create one.'"
    problem = problem_of(staged(plan, "company_name"), reason, "Use the name of one that exists.")
    refuse(link, import_id, f"{key} IS NOT NULL AND NOT EXISTS ({known})", problem=problem)
