"""Cells that name other records: companies of contacts, parents of companies, whom somebody reports to."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from qikbiz.transfer.imports.access_limits import owned_by
from qikbiz.transfer.imports.cell_policy import REFUSE, SKIP
from qikbiz.transfer.imports.converting import KEY_SEPARATOR
from qikbiz.transfer.imports.mapping import finds_records
from qikbiz.transfer.imports.plans import Plan
from qikbiz.transfer.imports.refusals import USABLE, problem_of
from qikbiz.transfer.imports.sql import Link, is_company, is_parent_by_id, is_parent_by_name, run, same_name, staged

_SEVERAL = "Several companies have this name, so it is unclear which one is meant."
_RENAME = "Give them different names first."
_HEADING = "%(heading)s::text"
# What a name is looked up by stands beside it.
_FOLDED = {"company_name": "company_key", "parent_id": "parent_key"}


def settle_links(link: Link, plan: Plan, import_id: UUID, header: Sequence[str]) -> None:
    """Refuse rows, or skip the cells, whose links can't be made. `header` are the headings of the file."""
    if plan.links_companies:
        _skip_unsure_companies(link, plan, import_id, header)
    if plan.links_parents:
        _skip_unsure_parents(link, plan, import_id, header)
    if "reports_to_id" in plan.place:
        ident = staged(plan, "reports_to_id")
        unknown = f"NOT EXISTS (SELECT FROM contacts k WHERE k.id = {ident}::uuid{owned_by(plan.limits.contacts, 'k')})"
        problem = problem_of(ident, "'No contact has this id.'", "Use the id from an export.", column=_HEADING)
        _skip(link, plan, import_id, header, name="reports_to_id", condition=unknown, problem=problem)


def _skip_unsure_companies(link: Link, plan: Plan, import_id: UUID, header: Sequence[str]) -> None:
    named, key = staged(plan, "company_name"), staged(plan, "company_key")
    is_one_of_several = f"{key} = k.sort_name AND {same_name('k.name', named)}"
    problem = problem_of(named, f"'{_SEVERAL}'", _RENAME, column=_HEADING)
    source = f"FROM {_several_companies(plan)}"
    _skip(
        link, plan, import_id, header, name="company_name", condition=is_one_of_several, problem=problem, source=source
    )
    if not plan.limits.may_make_companies:
        unknown = f"NOT EXISTS (SELECT FROM companies k WHERE {is_company(plan, 'k')})"
        reason = "'There is no company with this name, and your role does not allow you to create one.'"
        problem = problem_of(named, reason, "Use the name of one that exists.", column=_HEADING)
        _skip(link, plan, import_id, header, name="company_name", condition=unknown, problem=problem)


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
    problem = problem_of(named, "'There is no company with this name.'", "Import it first.", column=_HEADING)
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
    """Skip the cell as one that can't be read, or refuse its row where that was chosen for its column.

    Without the company that it is found by a row would find somebody else: it is refused until a person says otherwise.
    """
    place = next(column.place for column in plan.mapping.columns if column.field == name)
    policy = plan.cells.of(place) or (REFUSE if finds_records(plan.record_type, plan.key, name) else SKIP)
    written = f"skipped = coalesce(r.skipped, '[]') || {problem}"
    if policy == REFUSE:
        written = f"outcome = 'invalid', problems = {problem}"
    elif finds_records(plan.record_type, plan.key, name):
        written += f", key = split_part(r.key, '{KEY_SEPARATOR}', 1) || '{KEY_SEPARATOR}'"
    cleared = [name, _FOLDED[name]] if name in _FOLDED else [name]
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
