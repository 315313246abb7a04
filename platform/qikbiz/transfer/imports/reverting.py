"""Giving records that an import changed their old values back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Date, Numeric, Uuid
from sqlalchemy.sql.type_api import TypeEngine

from qikbiz.crm.records.changes import plain_value
from qikbiz.crm.schema.record_type import LinkTable, RecordType, derived_columns
from qikbiz.transfer.imports.apply import LINKED, By
from qikbiz.transfer.imports.diff import COPY_UPDATES, Record
from qikbiz.transfer.imports.encoding import copy_array, copy_field, sql_value, staged_text
from qikbiz.transfer.imports.sql import Link, run
from qikbiz.transfer.imports.undo_rules import CHANGED_SINCE, FREE, GONE, changed_status, still_changed
from tenants.control import new_id

Keep = Callable[[Any, str], None]
_BLOCK = 1_000
# What no import writes: it is never reverted.
_SYSTEM = frozenset(
    {
        "id",
        "version",
        "created_at",
        "created_by",
        "created_by_import",
        "updated_at",
        "updated_by",
        "deleted_at",
        "deleted_by",
        "search",
    }
)


def revert(link: Link, record_type: RecordType, by: By, keep: Keep, *, anyway: bool) -> tuple[int, int]:
    """Gives how many records were reverted and how many are gone. `keep` is told of each that stays, with the reason.

    `anyway` reverts those changed since, too: the fields that the import changed, and no others.
    """
    columns = [column.name for column in record_type.model.__table__.c if column.name != "search"]
    link.execute("DELETE FROM import_updates WHERE import_id = %s", (by.import_id,))
    query = (
        f"SELECT {changed_status(by)}, h.record_id, h.changes, {', '.join('c.' + name for name in columns)} "
        f"FROM record_changes h LEFT JOIN {record_type.plural} c ON c.id = h.record_id WHERE {still_changed()}"
    )
    taken = {FREE, *CHANGED_SINCE} if anyway else {FREE}
    number = gone = 0
    with link.cursor(name="to_revert") as cursor:
        cursor.execute(query, by.parameters())
        while found := cursor.fetchmany(_BLOCK):
            lines = []
            for why, record_id, changes, *values in found:
                record = dict(zip(columns, values, strict=True))
                number += 1
                if why == GONE:
                    gone += 1
                elif why in taken and record["deleted_at"] is None:
                    lines.append(_revert_line(link, record_type, by, number, record=record, changes=changes, why=why))
                else:
                    keep(record_id, why)
            with link.cursor().copy(COPY_UPDATES) as copy:
                copy.write("".join(lines))
    return _write_reverted(link, record_type, by), gone


def _revert_line(
    link: Link, record_type: RecordType, by: By, number: int, *, record: Record, changes: Mapping[str, Any], why: str
) -> str:
    columns = record_type.model.__table__.c
    before = {name: from_history(columns[name].type, old) for name, (old, _) in changes.items() if name in columns}
    if before.get("company_id") is not None and not _is_there(link, before["company_id"]):
        before["company_id"] = None
    whole = {**record, **before}
    if why != FREE:
        # Others changed fields beside those of the import, so what is computed from them is computed anew.
        computed, lists = derived_columns(record_type, {}, record), record_type.address_lists.values()
        given = {name: value for name, value in before.items() if name not in computed or name in lists}
        whole |= derived_columns(record_type, given, record)
    elif "emails" not in before:
        whole |= derived_columns(record_type, before, record)
    values = copy_array([_revert_text(whole[name]) for name in revertible(record_type)])
    # From what is there now, which is not always what the import wrote.
    reverse = {name: [plain_value(record.get(name, new)), old] for name, (old, new) in changes.items()}
    if reverse.get("company_id", [None])[0] != changes.get("company_id", [None, None])[1]:
        reverse[LINKED] = [True, True]
    fields = [
        str(by.import_id),
        str(number),
        str(record["id"]),
        str(record["version"]),
        str(new_id()),
        "",
        copy_field(json.dumps(reverse, ensure_ascii=False)),
        values,
    ]
    return "\t".join(fields) + "\n"


def _revert_text(value: Any) -> str | None:
    # Unlike in a file, an empty text and an empty list are values here.
    return "" if value == "" else staged_text(value)


def from_history(column_type: TypeEngine[Any], value: Any) -> Any:
    """A value of a record's history as the column holds it."""
    if value is None or not isinstance(value, str):
        return value
    if isinstance(column_type, Date):
        return date.fromisoformat(value)
    if isinstance(column_type, Numeric):
        return Decimal(value)
    if isinstance(column_type, Uuid):
        return UUID(value)
    return int(value) if isinstance(column_type, BigInteger) else value


def revertible(record_type: RecordType) -> list[str]:
    return [column.name for column in record_type.model.__table__.c if column.name not in _SYSTEM]


def _write_reverted(link: Link, record_type: RecordType, by: By) -> int:
    run(
        link,
        "INSERT INTO record_changes (id, record_type, record_id, version, kind, source, actor_kind, actor_id, "
        "actor_name, import_id, changes) "
        f"SELECT change_id, '{record_type.name}', record_id, version + 1, 'changed', 'undo', %(actor_kind)s, "
        "%(actor)s::uuid, "
        "%(actor_name)s, %(import)s, changes FROM import_updates WHERE import_id = %(import)s",
        **by.parameters(),
    )
    types = record_type.model.__table__.c
    pairs = ", ".join(
        f"{name} = {sql_value(types[name].type, f'u.values[{place}]')}"
        for place, name in enumerate(revertible(record_type), start=1)
    )
    changed = run(
        link,
        f"UPDATE {record_type.plural} c SET {pairs}, version = c.version + 1, updated_at = now(), updated_by = "
        "%(user)s::uuid "
        "FROM import_updates u WHERE u.import_id = %(import)s AND c.id = u.record_id AND c.version = u.version",
        **by.parameters(),
    )
    if record_type.link_table:
        _revert_links(link, record_type.plural, record_type.link_table, by)
    link.execute("DELETE FROM import_updates WHERE import_id = %s", (by.import_id,))
    return changed


def _revert_links(link: Link, plural: str, table: LinkTable, by: By) -> None:
    own, other = table.own, table.other
    moved = f"import_updates u WHERE u.import_id = %(import)s AND u.changes ? '{other}' AND l.{own} = u.record_id"
    # The link stays if it was there before the import made it the primary one.
    linked = f"(u.changes -> '{other}' ->> 0)::uuid"
    run(
        link,
        f"DELETE FROM {table.table} l USING {moved} AND l.{other} = {linked} AND l.role IS NULL "
        f"AND NOT coalesce((u.changes -> '{LINKED}' ->> 1)::boolean, false)",
        **by.parameters(),
    )
    run(link, f"UPDATE {table.table} l SET is_primary = false FROM {moved} AND l.is_primary", **by.parameters())
    run(
        link,
        f"INSERT INTO {table.table} ({own}, {other}, is_primary) SELECT c.id, c.{other}, true FROM {plural} c "
        f"JOIN import_updates u ON u.record_id = c.id WHERE u.import_id = %(import)s AND u.changes ? '{other}' "
        f"AND c.{other} IS NOT NULL ON CONFLICT ({own}, {other}) DO UPDATE SET is_primary = true",
        **by.parameters(),
    )


def _is_there(link: Link, company_id: UUID) -> bool:
    return link.execute("SELECT 1 FROM companies WHERE id = %s", (company_id,)).fetchone() is not None
