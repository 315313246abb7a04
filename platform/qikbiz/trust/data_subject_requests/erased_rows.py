"""Rows of a file that name a person who was erased at their own request."""

from __future__ import annotations

from uuid import UUID

from qikbiz.transfer.imports.sql import Link
from qikbiz.trust.data_subject_requests.tombstone_keys import MARK_OF_EMAIL

# Addresses stand alone, or in the JSON of a list.
_ADDRESSES = "unnest(r.values) cell, regexp_split_to_table(cell, '[\\s,;\"<>{}\\[\\]]+') address"
_ROWS = f"""
    SELECT count(DISTINCT r.row) FROM import_rows r, {_ADDRESSES}
     WHERE r.import_id = %(import)s AND r.outcome <> 'invalid' AND cell LIKE '%%@%%' AND address LIKE '%%@%%'
       AND {MARK_OF_EMAIL.format(key="%(key)s::text", email="address")} = ANY(%(marks)s)
"""


def rows_of_erased(link: Link, import_id: UUID) -> int:
    """How many rows would restore an erased person. They may be imported: the person may have returned."""
    tombstones = link.execute("SELECT key, marks FROM tombstones").fetchall()
    marks: dict[str, list[str]] = {}
    for key, own in tombstones:
        marks.setdefault(key, []).extend(own)
    return sum(_count(link, import_id, key, several) for key, several in marks.items())


def _count(link: Link, import_id: UUID, key: str, marks: list[str]) -> int:
    row = link.execute(_ROWS.encode(), {"import": import_id, "key": key, "marks": marks}).fetchone()
    return int(row[0]) if row else 0
