"""Taking a whole import back: what it made goes, what it changed returns; what was edited since stays and is named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Date, Numeric, Uuid
from sqlalchemy.sql.type_api import TypeEngine

from qikbiz.imports.applying import By
from qikbiz.imports.comparing import Record
from qikbiz.imports.encoding import copy_array, copy_field, sql_value, staged_text
from qikbiz.imports.reach import owned_by
from qikbiz.imports.sql import Link, run
from qikbiz.records.fields import RecordType, derived_columns
from tenants.control import new_id

MOST_NAMED = 1_000
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

# Something newer that names the record: then it stays.
_NEEDED = {
    "contact": (
        "SELECT FROM contacts o "
        "WHERE o.reports_to_id = c.id AND o.created_by_import IS DISTINCT FROM c.created_by_import"
    ),
    "company": (
        "SELECT FROM contacts o WHERE o.company_id = c.id "
        "UNION ALL SELECT FROM contact_companies o WHERE o.company_id = c.id "
        "UNION ALL SELECT FROM companies o "
        "WHERE o.parent_id = c.id AND o.created_by_import IS DISTINCT FROM c.created_by_import"
    ),
}


@dataclass
class Undone:
    """`kept` records were edited after the import, or something newer depends on them."""

    removed: int = 0
    reverted: int = 0
    kept: int = 0
    failed: int = 0
    companies: int = 0
    named: list[dict[str, str]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "reversed": self.removed + self.reverted,
            "removed": self.removed,
            "reverted": self.reverted,
            "kept": self.kept,
            "failed": self.failed,
            "companies": self.companies,
            "kept_records": self.named,
        }


def undo(link: Link, record_type: RecordType, by: By) -> Undone:
    """Revert first, then remove: a company made by the import may be named by a contact that it changed."""
    done = Undone()
    _revert(link, record_type, by, done)
    _remove(link, record_type, by, done)
    if record_type.name == "contact":
        done.companies = _remove_companies(link, by)
    return done


def _revert(link: Link, record_type: RecordType, by: By, done: Undone) -> None:
    columns = [column.name for column in record_type.model.__table__.c if column.name != "search"]
    link.execute("DELETE FROM import_updates WHERE import_id = %s", (by.import_id,))
    query = (
        f"SELECT h.version, h.changes, {', '.join('c.' + name for name in columns)} FROM record_changes h "
        f"LEFT JOIN {record_type.plural} c ON c.id = h.record_id "
        "WHERE h.import_id = %s AND h.source = 'import' AND h.kind = 'changed'"
    )
    number = 0
    with link.cursor(name="to_revert") as cursor:
        cursor.execute(query, (by.import_id,))
        while found := cursor.fetchmany(_BLOCK):
            lines = []
            for version, changes, *values in found:
                record = dict(zip(columns, values, strict=True))
                number += 1
                if record["id"] is None:
                    done.failed += 1
                elif not _is_reached(by, record):
                    done.kept += 1
                elif record["version"] != version or record["deleted_at"] is not None:
                    _keep(done, record_type, record)
                else:
                    lines.append(_revert_line(link, record_type, by, number, record=record, changes=changes))
            with link.cursor().copy(_COPY) as copy:
                copy.write("".join(lines))
    done.reverted = _write_reverted(link, record_type, by)


_COPY = "COPY import_updates (import_id, row, record_id, version, change_id, subject, changes, values) FROM STDIN"


def _revert_line(
    link: Link, record_type: RecordType, by: By, number: int, *, record: Record, changes: Mapping[str, Any]
) -> str:
    before = {name: from_history(record_type.model.__table__.c[name].type, old) for name, (old, _) in changes.items()}
    if before.get("company_id") is not None and not _is_there(link, before["company_id"]):
        before["company_id"] = None
    whole = {**record, **before}
    whole |= derived_columns(record_type, before, record) if "emails" not in before else {}
    values = copy_array([_revert_text(whole[name]) for name in revertible(record_type)])
    reverse = {name: [new, old] for name, (old, new) in changes.items()}
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
    if record_type.name == "contact":
        _revert_links(link, by)
    link.execute("DELETE FROM import_updates WHERE import_id = %s", (by.import_id,))
    return changed


def _revert_links(link: Link, by: By) -> None:
    moved = (
        "import_updates u WHERE u.import_id = %(import)s AND u.changes ? 'company_id' AND l.contact_id = u.record_id"
    )
    new_company = "(u.changes -> 'company_id' ->> 0)::uuid"
    run(
        link,
        f"DELETE FROM contact_companies l USING {moved} AND l.company_id = {new_company} AND l.role IS NULL",
        **by.parameters(),
    )
    run(link, f"UPDATE contact_companies l SET is_primary = false FROM {moved} AND l.is_primary", **by.parameters())
    run(
        link,
        "INSERT INTO contact_companies (contact_id, company_id, is_primary) SELECT c.id, c.company_id, true "
        "FROM contacts c "
        "JOIN import_updates u ON u.record_id = c.id WHERE u.import_id = %(import)s AND u.changes ? 'company_id' "
        "AND c.company_id IS NOT NULL ON CONFLICT (contact_id, company_id) DO UPDATE SET is_primary = true",
        **by.parameters(),
    )


def _remove(link: Link, record_type: RecordType, by: By, done: Undone) -> None:
    """Untouched records go for good, not to the trash: they never were the customer's own work."""
    table = record_type.plural
    needed = _NEEDED[record_type.name]
    untouched = (
        "c.created_by_import = %(import)s AND c.version = 1 AND c.deleted_at IS NULL"
        f"{owned_by(by.changed, 'c')} AND NOT EXISTS ({needed})"
    )
    if record_type.name == "contact":
        run(
            link,
            f"DELETE FROM contact_companies l USING contacts c WHERE l.contact_id = c.id AND {untouched}",
            **by.parameters(),
        )
    else:
        _hold_companies(link, by)
    done.removed = run(link, f"DELETE FROM {table} c WHERE {untouched}", **by.parameters())
    names = ", ".join(record_type.name_columns)
    query = f"SELECT id, owner_id, {names} FROM {table} WHERE created_by_import = %s ORDER BY id"
    for ident, owner_id, *parts in link.execute(query, (by.import_id,)):
        if not _is_reached(by, {"owner_id": owner_id}):
            done.kept += 1
            continue
        _keep(done, record_type, {"id": ident, **dict(zip(record_type.name_columns, parts, strict=True))})


def _hold_companies(link: Link, by: By) -> None:
    """Wait for whoever is linking a company that this import made, so that the next statement sees the link."""
    made = "SELECT 1 FROM companies WHERE created_by_import = %(import)s AND version = 1 FOR UPDATE"
    run(link, f"SELECT count(*) FROM ({made}) held", **by.parameters())


def _remove_companies(link: Link, by: By) -> int:
    _hold_companies(link, by)
    return run(
        link,
        "DELETE FROM companies c WHERE c.created_by_import = %(import)s AND c.version = 1 AND c.deleted_at IS NULL "
        "AND NOT EXISTS (SELECT FROM contacts o WHERE o.company_id = c.id) "
        "AND NOT EXISTS (SELECT FROM contact_companies o WHERE o.company_id = c.id) "
        "AND NOT EXISTS (SELECT FROM companies o WHERE o.parent_id = c.id)",
        **by.parameters(),
    )


def _is_reached(by: By, record: Mapping[str, Any]) -> bool:
    return by.changed is None or record["owner_id"] in by.changed


def _keep(done: Undone, record_type: RecordType, record: Record) -> None:
    done.kept += 1
    if len(done.named) < MOST_NAMED:
        name = record_type.name_of({column: record[column] for column in record_type.name_columns})
        done.named.append({"id": str(record["id"]), "name": name})


def _is_there(link: Link, company_id: UUID) -> bool:
    return link.execute("SELECT 1 FROM companies WHERE id = %s", (company_id,)).fetchone() is not None
