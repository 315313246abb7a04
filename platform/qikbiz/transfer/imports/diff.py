"""Rows that find a record: what they would change in it. The rules are those of the form, asked row by row."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from qikbiz.crm.records.changes import plain_value
from qikbiz.crm.schema.normalize import name_key
from qikbiz.crm.schema.record_type import derived_columns
from qikbiz.crm.schema.validation import FieldProblem
from qikbiz.transfer.imports.csv_reader import RowProblem
from qikbiz.transfer.imports.encoding import copy_array, copy_field, staged_text, typed
from qikbiz.transfer.imports.plans import Plan
from qikbiz.transfer.imports.sql import Link, is_parent_by_id, is_parent_by_name, run, staged, value_of
from qikbiz.transfer.imports.staging import Progress, problems_json
from tenants.control import new_id

Record = dict[str, Any]
_BLOCK = 1_000
COPY_UPDATES = (
    "COPY import_updates (import_id, row, record_id, version, change_id, subject, changes, values) FROM STDIN"
)


def compare(link: Link, plan: Plan, import_id: UUID, progress: Progress) -> None:
    """Stage the changes of every row that finds a record and differs from it; mark such rows `updated`."""
    done = 0
    with link.cursor(name="differing") as cursor:
        cursor.itersize = _BLOCK
        cursor.execute(_differing(plan), {"import": import_id})
        while found := cursor.fetchmany(_BLOCK):
            _stage_block(link, plan, import_id, found)
            done += len(found)
            progress(done)
    run(
        link,
        "UPDATE import_rows r SET outcome = 'updated' FROM import_updates u "
        "WHERE r.import_id = %(import)s AND u.import_id = %(import)s AND u.row = r.row",
        **{"import": import_id},
    )


def record_columns(plan: Plan) -> list[str]:
    """Every column of the record but the search document."""
    return [column.name for column in plan.record_type.model.__table__.c if column.name != "search"]


def update_line(
    plan: Plan, import_id: UUID, row: int, *, record: Record, changes: dict[str, Any], values: list[Any]
) -> str:
    """One line for COPY_UPDATES."""
    subject = plan.record_type.name_of({name: record[name] for name in plan.record_type.name_columns})
    fields = [
        str(import_id),
        str(row),
        str(record["id"]),
        str(record["version"]),
        str(new_id()),
        copy_field(subject[:200]),
        copy_field(json.dumps(changes, ensure_ascii=False)),
        copy_array([staged_text(value) for value in values]),
    ]
    return "\t".join(fields) + "\n"


def _stage_block(link: Link, plan: Plan, import_id: UUID, found: list[tuple[Any, ...]]) -> None:
    names = record_columns(plan)
    lines, refused = [], []
    for row, values, parent_id, *columns in found:
        record = dict(zip(names, columns, strict=True))
        try:
            whole, changes = changes_of(plan, values, record, parent_id)
        except FieldProblem as error:
            refused.append((row, error))
            continue
        if changes:
            after = [_after(name, whole, record, values, plan) for name in plan.staged]
            lines.append(update_line(plan, import_id, row, record=record, changes=changes, values=after))
    with link.cursor().copy(COPY_UPDATES) as copy:
        copy.write("".join(lines))
    for row, problem in refused:
        _refuse(link, import_id, row, problem)


def changes_of(
    plan: Plan, values: list[str | None], record: Record, parent_id: UUID | None
) -> tuple[Record, dict[str, list[Any]]]:
    """The columns as they would be, and {column: [old, new]}. Empty cells change nothing; lists are added to."""
    given = {name: value for name, value in _given(plan, values, record) if value is not None}
    if plan.links_parents and parent_id is not None:
        given["parent_id"] = parent_id
    whole = {**given, **derived_columns(plan.record_type, given, record)}
    plan.record_type.check({**record, **whole})
    changes = {
        name: [plain_value(record[name]), plain_value(value)]
        for name, value in whole.items()
        if record[name] != value and not (record[name] in (None, "", [], False) and value in (None, "", [], False))
    }
    return whole, changes


def _given(plan: Plan, values: list[str | None], record: Record) -> Iterator[tuple[str, Any]]:
    for name in plan.fields:
        if name in plan.record_type.address_lists.values():
            yield from _given_addresses(plan, name, values, record)
        elif name == "company_name":
            yield name, _given_company(plan, values, record)
        elif name == "tags":
            yield name, _added_tags(record["tags"], typed(plan.column_type(name), values[plan.place[name]]))
        elif name != "parent_id":
            text = values[plan.place[name]]
            yield name, None if text is None else typed(plan.column_type(name), text)


def _given_company(plan: Plan, values: list[str | None], record: Record) -> str | None:
    named = values[plan.place["company_name"]]
    is_same = record["company_id"] is not None and name_key(named or "") == name_key(record["company_name"] or "")
    return None if is_same else named


def _given_addresses(plan: Plan, several: str, values: list[str | None], record: Record) -> Iterator[tuple[str, Any]]:
    single, key = several[:-1], "address" if several == "emails" else "number"
    listed, alone = values[plan.place[several]], values[plan.place[single]]
    before: list[dict[str, Any]] = record[several]
    if listed is not None:
        yield several, _added_addresses(before, json.loads(listed), key)
    elif alone is not None and not (plan.key == single and any(entry[key] == alone for entry in before)):
        # Found by this very address: which one of the record's comes first stays as it is.
        yield single, alone


def _added_addresses(before: list[dict[str, Any]], more: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    labels = {entry[key]: entry.get("label", "") for entry in more}
    kept = [{**entry, "label": entry.get("label") or labels.get(entry[key], "")} for entry in before]
    known = {entry[key] for entry in before}
    return kept + [entry for entry in more if entry[key] not in known]


def _added_tags(before: list[str], more: list[str]) -> list[str] | None:
    known = {name_key(tag) for tag in before}
    added = [tag for tag in more if name_key(tag) not in known]
    return [*before, *added] if added else None


def _after(name: str, whole: Record, record: Record, values: list[str | None], plan: Plan) -> Any:
    if name in ("company_key", "parent_key"):
        return values[plan.place[name]]
    return whole[name] if name in whole else record[name]


def _differing(plan: Plan) -> str:
    """The rows that may differ, with the record they found. It may give one too many, never one too few."""
    columns = ", ".join(f"c.{name}" for name in record_columns(plan))
    parent = "NULL::uuid"
    if plan.links_parents:
        parent = (
            f"coalesce((SELECT k.id FROM companies k WHERE {is_parent_by_id(plan, 'k')}), "
            f"(SELECT k.id FROM companies k WHERE {is_parent_by_name(plan, 'k')} LIMIT 1))"
        )
    differs = " OR ".join(_differs(plan, name) for name in _compared(plan))
    return (
        f"SELECT r.row, r.values, {parent}, {columns} FROM import_rows r JOIN {plan.record_type.plural} c ON "
        "c.id = r.record_id "
        f"WHERE r.import_id = %(import)s AND r.outcome = 'unchanged' AND ({differs or 'false'})"
    )


def _compared(plan: Plan) -> list[str]:
    derived = {"sort_name", "other_emails", "company_key", "parent_key"}
    return [name for name in plan.staged if name not in derived]


def _differs(plan: Plan, name: str) -> str:
    text = staged(plan, name)
    if name == "parent_id":
        return f"{text} IS NOT NULL"
    if name == "tags":
        return f"NOT c.tags @> {value_of(plan, name)}"
    if name == "company_name":
        return f"{text} IS NOT NULL AND (c.company_id IS NULL OR c.company_name IS DISTINCT FROM {text})"
    return f"{text} IS NOT NULL AND c.{name} IS DISTINCT FROM {value_of(plan, name)}"


def _refuse(link: Link, import_id: UUID, row: int, problem: FieldProblem) -> None:
    problems = problems_json([RowProblem("", "", problem.reason, problem.how_to_fix)])
    run(
        link,
        "UPDATE import_rows SET outcome = 'invalid', problems = %(problems)s::jsonb WHERE import_id = "
        "%(import)s AND row = %(row)s",
        **{"import": import_id, "row": row, "problems": problems},
    )
