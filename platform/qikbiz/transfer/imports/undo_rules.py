"""What undoing an import does to each record, as SQL: asked by the page before, and by the undo itself.

A record stays when a person changed it since, when a later import that still stands did, or when something newer names
it. What later imports did and was undone again is no change: undoing in reverse order takes back everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from qikbiz.crm.schema.record_type import RecordType
from qikbiz.crm.schema.registry import RECORD_TYPES
from qikbiz.transfer.imports.access_limits import owned_by
from qikbiz.transfer.imports.apply import By
from qikbiz.transfer.imports.sql import Link

FREE, EDITED, LATER, USED, UNREACHED, GONE = "free", "edited", "later", "used", "unreached", "gone"
# Kept unless the person says otherwise.
CHANGED_SINCE = (EDITED, LATER)
KEPT = (EDITED, LATER, USED, UNREACHED)
MOST_NAMED = 1_000


@dataclass
class Preview:
    """What an undo would do now. `named` are the first records changed since: {"id", "why"}."""

    removed: int = 0
    reverted: int = 0
    gone: int = 0
    companies: int = 0
    kept: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KEPT, 0))
    named: list[dict[str, str]] = field(default_factory=list)

    @property
    def changed_since(self) -> int:
        return sum(self.kept[why] for why in CHANGED_SINCE)

    @property
    def takes_back(self) -> int:
        return self.removed + self.reverted + self.companies


def made_status(record_type: RecordType, by: By, c: str = "c") -> str:
    """SQL: what becomes of the record `c`, which the import made."""
    used = _used(record_type, c)
    return (
        f"CASE WHEN NOT ({_reached(by, c)}) THEN '{UNREACHED}' WHEN {_edited(c, '1')} THEN '{EDITED}' "
        f"WHEN {_changed_by_later_import(c, '1')} THEN '{LATER}' WHEN EXISTS ({used}) THEN '{USED}' ELSE '{FREE}' END"
    )


def changed_status(by: By, c: str = "c", h: str = "h") -> str:
    """SQL: what becomes of the record `c`, which the import changed, as the row `h` of its history says."""
    return (
        f"CASE WHEN {c}.id IS NULL THEN '{GONE}' WHEN NOT ({_reached(by, c)}) THEN '{UNREACHED}' "
        f"WHEN {_edited(c, f'{h}.version')} THEN '{EDITED}' "
        f"WHEN {_changed_by_later_import(c, f'{h}.version')} THEN '{LATER}' ELSE '{FREE}' END"
    )


def still_changed(h: str = "h") -> str:
    """SQL: whether `h` is a change by this import that wasn't taken back yet."""
    return (
        f"{h}.import_id = %(import)s AND {h}.source = 'import' AND {h}.kind = 'changed' AND NOT EXISTS (SELECT FROM "
        f"record_changes b WHERE b.record_id = {h}.record_id AND b.import_id = %(import)s AND b.source = 'undo')"
    )


def still_made() -> str:
    """SQL: whether the record `c` was made by this import, and not put into the trash by its undoing."""
    return (
        "c.created_by_import = %(import)s AND NOT EXISTS (SELECT FROM record_changes b WHERE b.record_id = c.id "
        "AND b.import_id = %(import)s AND b.source = 'undo' AND b.kind = 'deleted')"
    )


def makes_companies(record_type: RecordType) -> bool:
    """Whether an import makes the companies that its rows name."""
    return any(field.references == "company" for field in record_type.named_references)


def free_company(record_type: RecordType | None = None, left: str = "") -> str:
    """SQL: whether the company `c` may go with the import that made it: untouched, and nothing holds it.

    `left` says of a record `o` of the type that it stays as it is; without it every record there is counts.
    """
    held = " ".join(f"AND NOT EXISTS ({query})" for query in _holding_company(record_type, left))
    imports = "(SELECT i.id FROM imports i WHERE i.state = 'undone' UNION ALL SELECT %(import)s::uuid)"
    return (
        f"c.created_by_import IN {imports} AND NOT {_edited('c', '1')} AND NOT {_changed_by_later_import('c', '1')} "
        f"{held}"
    )


def preview(link: Link, record_type: RecordType, by: By) -> Preview:
    """Count and name what an undo would do now. Nothing is changed."""
    found, table = Preview(), record_type.plural
    made = f"SELECT c.id, {made_status(record_type, by)} AS why FROM {table} c WHERE {still_made()}"
    changed = (
        f"SELECT c.id, {changed_status(by)} AS why FROM record_changes h LEFT JOIN {table} c ON c.id = h.record_id "
        f"WHERE {still_changed()}"
    )
    for query, name in ((made, "removed"), (changed, "reverted")):
        counted = f"SELECT why, count(*), (array_agg(id))[1:{MOST_NAMED}] FROM ({query}) each GROUP BY why"
        for why, number, ids in link.execute(counted, by.parameters()).fetchall():
            _count(found, name, why, number, ids)
    if makes_companies(record_type):
        found.companies = _companies_to_remove(link, record_type, by)
    return found


def _count(found: Preview, name: str, why: str, number: int, ids: list[object]) -> None:
    if why == FREE:
        setattr(found, name, number)
    elif why == GONE:
        found.gone += number
    else:
        found.kept[why] += number
        if why != UNREACHED:
            found.named += [{"id": str(one), "why": why} for one in ids][: MOST_NAMED - len(found.named)]


def _companies_to_remove(link: Link, record_type: RecordType, by: By) -> int:
    goes = f"(o.created_by_import IS NOT DISTINCT FROM %(import)s AND {made_status(record_type, by, 'o')} = '{FREE}')"
    leaves = (
        "EXISTS (SELECT FROM record_changes h WHERE h.record_id = o.id AND h.changes -> 'company_id' ->> 1 = "
        f"c.id::text AND {still_changed()} AND {changed_status(by, 'o')} = '{FREE}')"
    )
    query = f"SELECT count(*) FROM companies c WHERE {free_company(record_type, f'NOT {goes} AND NOT {leaves}')}"
    row = link.execute(query, by.parameters()).fetchone()
    return int(row[0]) if row else 0


def _used(record_type: RecordType, c: str) -> str:
    """SQL: what names the record `c` and is newer."""
    found = []
    for other in RECORD_TYPES.values():
        newer = f" AND o.created_by_import IS DISTINCT FROM {c}.created_by_import" if other is record_type else ""
        for column in _columns_naming(other, record_type.name):
            found.append(f"SELECT FROM {other.plural} o WHERE o.{column} = {c}.id{newer}")
        if (table := other.link_table) and table.target == record_type.name:
            found.append(f"SELECT FROM {table.table} o WHERE o.{table.other} = {c}.id")
    return " UNION ALL ".join(found) or "SELECT WHERE false"


def _holding_company(record_type: RecordType | None, left: str) -> Iterator[str]:
    """SQL: what names the company `c`."""
    for other in RECORD_TYPES.values():
        stays = f" AND {left}" if other is record_type else ""
        for column in _columns_naming(other, "company"):
            yield f"SELECT FROM {other.plural} o WHERE o.{column} = c.id{stays}"
        if (table := other.link_table) and table.target == "company":
            linked = f"{table.table} l JOIN {other.plural} o ON o.id = l.{table.own}"
            yield f"SELECT FROM {linked} WHERE l.{table.other} = c.id{stays}"


def _columns_naming(record_type: RecordType, target: str) -> list[str]:
    """The columns of a type that hold the id of a record of type `target`."""
    return sorted({one.id_column for one in record_type.references.values() if one.target == target})


def _reached(by: By, c: str) -> str:
    return f"true{owned_by(by.changed, c)}"


def _edited(c: str, base: str) -> str:
    """Whether anybody but imports and their undoing wrote the record after version `base`. Its trash counts."""
    since = f"FROM record_changes e WHERE e.record_id = {c}.id AND e.version > {base}"
    return (
        f"({c}.deleted_at IS NOT NULL OR ({c}.version <> {base} AND "
        f"({c}.version - {base} <> (SELECT count(DISTINCT e.version) {since}) "
        f"OR EXISTS (SELECT {since} AND e.import_id IS NULL AND e.kind NOT IN ('deleted', 'restored')))))"
    )


def _changed_by_later_import(c: str, base: str) -> str:
    """Whether a later import's change still stands."""
    return (
        f"({c}.version <> {base} AND EXISTS (SELECT FROM record_changes e WHERE e.record_id = {c}.id "
        f"AND e.version > {base} AND e.source = 'import' AND e.import_id <> %(import)s AND NOT EXISTS (SELECT FROM "
        "record_changes b WHERE b.record_id = e.record_id AND b.import_id = e.import_id AND b.source = 'undo' "
        "AND b.version > e.version)))"
    )
