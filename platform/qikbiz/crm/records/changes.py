"""What changed between two states of a record, in a form that JSON keeps: {field: [old, new]}."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from qikbiz.audit.actions import Changes
from qikbiz.crm.schema.record_type import RecordType

# Repeated from others by `derived_columns`: a history that named them too would say everything twice.
_REPEATED = {"emails": ("email", "other_emails"), "phones": ("phone",), "company_name": ("company_id",)}


def plain_value(value: object) -> object:
    """A kept value as JSON holds it. Equal values give equal ones."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    return value


def changed_values(record: object, values: Mapping[str, object]) -> Changes:
    """The columns of `values` that differ from those of `record`, as [old, new]."""
    return {
        name: [plain_value(getattr(record, name)), plain_value(value)]
        for name, value in values.items()
        if getattr(record, name) != value and not (_is_empty(getattr(record, name)) and _is_empty(value))
    }


def initial_values(values: Mapping[str, object]) -> Changes:
    """The history of a new record: every value that was filled in."""
    return {name: [None, plain_value(value)] for name, value in values.items() if not _is_empty(value)}


def without_repeats(names: Iterable[str]) -> list[str]:
    """The names that a person needs to read, in the order given."""
    given = list(names)
    repeated = {repeat for name in given for repeat in _REPEATED.get(name, ())}
    return [name for name in given if name not in repeated and name != "sort_name"]


def shown_changes(record_type: RecordType, changes: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """A change as (field's name, old, new), without what only repeats."""
    return [
        (name, changes[name][0], changes[name][1])
        for name in without_repeats(changes)
        if record_type.has_field(name) and isinstance(changes[name], list) and len(changes[name]) == 2
    ]


def _is_empty(value: object) -> bool:
    return value in (None, "", [], False)
