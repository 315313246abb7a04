"""What of a record type a person knows of: the declaration without hidden fields, read-only ones locked.

Pages, filters, imports and exports are made from the declaration, so what isn't in it is nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache

from qikbiz.crm.schema.field import Field
from qikbiz.crm.schema.record_type import RecordType
from qikbiz.crm.schema.registry import BY_SINGULAR
from qikbiz.identity.roles.current import current_rights
from qikbiz.kernel.permissions import Action
from qikbiz.kernel.rights import Rights, Scope

Names = frozenset[str]
# What a record is called by, and by what the program finds it, is known to whoever sees it.
ALWAYS_SEEN = frozenset({"first_name", "middle_name", "last_name", "name", "id", "created_at", "updated_at"})


def visible_type(record_type: RecordType, rights: Rights | None = None) -> RecordType:
    """The record type as the one who acts knows it."""
    known = rights or current_rights()
    hidden, locked = known.hidden(record_type.name), known.unchangeable(record_type.name)
    unsearchable: Names = frozenset()
    for field in BY_SINGULAR[record_type.name].named_references:
        # A name that is kept beside the id would tell of a record that the user may not see.
        if (scope := known.scope(field.references, Action.SEE)) is not Scope.ALL:
            unsearchable |= {*field.written_columns}
            hidden = hidden if scope else hidden | {field.name}
    if not (hidden or locked or unsearchable):
        return record_type
    return _seen(record_type.name, hidden, locked, unsearchable)


def locked_type(record_type: RecordType, names: Names) -> RecordType:
    """The same with these fields only to be read."""
    fields = tuple(replace(field, is_locked=field.is_locked or field.name in names) for field in record_type.fields)
    return replace(record_type, fields=fields)


def rulable_fields(record_type: RecordType) -> list[Field]:
    """The fields that a role can hide or lock, one for all that write the same columns."""
    written: dict[Names, Field] = {}
    for field in record_type.fields:
        if field.name not in ALWAYS_SEEN:
            written.setdefault(_group(record_type, field), field)
            if field.is_editable:
                written[_group(record_type, field)] = field
    return list(written.values())


def columns_of_fields(record_type: RecordType, names: Names) -> Names:
    """Every column that holds something of these fields."""
    return frozenset(
        column for field in record_type.fields if field.name in names for column in field.written_columns
    ) - frozenset({"id"})


@lru_cache(maxsize=500)
def _seen(name: str, hidden: Names, locked: Names, unsearchable: Names) -> RecordType:
    declared = BY_SINGULAR[name]
    gone = columns_of_fields(declared, hidden - ALWAYS_SEEN)
    kept = columns_of_fields(declared, locked - ALWAYS_SEEN)
    fields = tuple(
        replace(field, is_locked=bool(kept & {*field.written_columns}))
        for field in declared.fields
        if not gone & {*field.written_columns}
    )
    return replace(
        declared,
        fields=fields,
        name_of=_called(declared, gone),
        name_columns=tuple(column for column in declared.name_columns if column not in gone),
        key_fields=tuple(key for key in declared.key_fields if _can_find(key, gone | unsearchable)),
        hidden=gone,
        unsearchable=unsearchable | gone,
    )


def _called(declared: RecordType, gone: Names) -> Callable[[Mapping[str, object]], str]:
    def called(record: Mapping[str, object]) -> str:
        return declared.name_of({name: None if name in gone else record[name] for name in declared.name_columns})

    return called


def _can_find(key: str, gone: Names) -> bool:
    return "company_name" not in gone if key == "name_company" else key not in gone


def _group(record_type: RecordType, field: Field) -> Names:
    """The columns of all fields that share one with this field."""
    columns = {*field.written_columns}
    for other in record_type.fields:
        if columns & {*other.written_columns}:
            columns |= {*other.written_columns}
    return frozenset(columns)
