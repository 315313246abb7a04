"""Two people edited the same record: what the other one changed, and for each field whose value stands.

The second person sees both values of every field that both changed. What only one of them changed is kept as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from qikbiz.audit.models import RecordChange
from qikbiz.crm.records.actions import columns_of
from qikbiz.crm.records.changes import plain_value, shown_changes
from qikbiz.crm.schema.field import Field
from qikbiz.crm.schema.models import Record
from qikbiz.crm.schema.normalize import with_plain_line_ends
from qikbiz.crm.schema.record_type import RecordType
from qikbiz.kernel.database import db


@dataclass(frozen=True, slots=True)
class Clash:
    """One field that both changed, to different values."""

    field: Field
    theirs: object
    yours: object


@dataclass(frozen=True, slots=True)
class Comparison:
    """`theirs` is what was changed meanwhile, as (field, old, new); `clashes` must be decided by the person."""

    theirs: list[tuple[Field, object, object]]
    clashes: list[Clash]
    who: list[str]


def compare(record_type: RecordType, found: Record, seen_version: int, yours: Mapping[str, object]) -> Comparison:
    """What stands between the version somebody saw, with their values, and the record as it is now."""
    history = _changes_since(found, seen_version)
    current = columns_of(record_type, found)
    if len(history) != found.version - seen_version:
        # The history has a gap, so who changed what can't be known: every difference is for the person to decide.
        different = [name for name in yours if record_type.has_field(name) and _differs(current, yours, name)]
        return Comparison([], [_clash(record_type, name, current, yours) for name in different], [])
    theirs = _merged(record_type, history)
    both = [name for name in theirs if name in yours and _differs(current, yours, name)]
    mine = [name for name in both if not _is_same(yours[name], theirs[name][0])]
    changed = [(record_type.field(name), old, new) for name, (old, new) in theirs.items()]
    who = list(dict.fromkeys(change.actor_name for change in history if change.actor_name))
    return Comparison(changed, [_clash(record_type, name, current, yours) for name in mine], who)


def settled(
    comparison: Comparison, yours: Mapping[str, object], choices: Mapping[str, str]
) -> dict[str, object] | None:
    """The values to write: without fields that only the others changed, or that were left to them. None: undecided."""
    clashing = {clash.field.name for clash in comparison.clashes}
    if any(choices.get(name) not in ("mine", "theirs") for name in clashing):
        return None
    left = [field for field, _, _ in comparison.theirs if field.name not in clashing]
    left += [clash.field for clash in comparison.clashes if choices[clash.field.name] == "theirs"]
    # A reference is left with the name that is kept beside it.
    columns = {name for field in left for name in (field.name, *(field.written_columns if field.references else ()))}
    return {name: value for name, value in yours.items() if name not in columns}


def _changes_since(found: Record, version: int) -> list[RecordChange]:
    query = select(RecordChange).where(RecordChange.record_id == found.id, RecordChange.version > version)
    return list(db.session.scalars(query.order_by(RecordChange.version)))


def _merged(record_type: RecordType, history: list[RecordChange]) -> dict[str, tuple[Any, object]]:
    """Each field's value before the first change and after the last."""
    merged: dict[str, tuple[Any, object]] = {}
    for change in history:
        for name, old, new in shown_changes(record_type, change.changes):
            merged[name] = (merged[name][0] if name in merged else old, new)
    return {name: pair for name, pair in merged.items() if pair[0] != pair[1]}


def _differs(current: Mapping[str, object], yours: Mapping[str, object], name: str) -> bool:
    return name in current and (plain_value(current[name]) or None) != (plain_value(yours[name]) or None)


def _is_same(yours: object, before: object) -> bool:
    """Whether the person left a field as it was: a form sends line ends of its own, and spaces at its ends are cut."""
    sent = plain_value(yours)
    if isinstance(sent, str) and isinstance(before, str):
        return with_plain_line_ends(sent).strip() == with_plain_line_ends(before).strip()
    return bool(sent == before)


def _clash(record_type: RecordType, name: str, current: Mapping[str, object], yours: Mapping[str, object]) -> Clash:
    return Clash(record_type.field(name), current[name], yours[name])
