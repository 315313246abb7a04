"""Fields that name another record: what is typed becomes an id, and an id becomes a name."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from qikbiz.crm.records.field_access import visible_type
from qikbiz.crm.records.owners import colleague_by_email, possible_owners
from qikbiz.crm.records.row_access import reached_id, shown_record
from qikbiz.crm.schema.field import Field
from qikbiz.crm.schema.models import Record
from qikbiz.crm.schema.registry import BY_SINGULAR, references_to
from qikbiz.crm.schema.validation import FieldProblem
from qikbiz.kernel.database import db


def linked_columns(field: Field, value: Any, record: Record | None) -> dict[str, object]:
    """The columns that a typed link writes. Raises FieldProblem when it names nothing, or several.

    Where a field keeps the name too, one that no record has leaves the id empty: the action that saves creates it.
    """
    if field.names_user:
        return {field.name: _owner_id(value)}
    if len(field.written_columns) > 1:
        return _named_columns(field, value, record)
    return {field.name: references_to(field.references).require(value, record)}


def shown_link(field: Field, record: object) -> str:
    """A link as it is typed."""
    value = getattr(record, field.name)
    if value is None:
        return ""
    if not field.references or len(field.written_columns) > 1:
        return str(value)
    found = db.session.get(BY_SINGULAR[field.references].model, value)
    return references_to(field.references).text(found) if found else ""


def linked_name(type_name: str, ident: UUID) -> str | None:
    """What a record is called, as far as this user may know; None for one that is gone or out of reach."""
    known, reached = visible_type(BY_SINGULAR[type_name]), reached_id(type_name, ident)
    found = shown_record(known, db.session.get(known.model, reached)) if reached else None
    return known.name_of({name: getattr(found, name) for name in known.name_columns}) if found else None


def _named_columns(field: Field, name: str | None, record: object) -> dict[str, object]:
    name_column, id_column = field.written_columns
    if name is None:
        return {name_column: None, id_column: None}
    linked = getattr(record, id_column) if record is not None else None
    if linked is not None and name == getattr(record, name_column):
        return {name_column: name, id_column: linked}
    found = references_to(field.references).find(name)
    if found is None:
        return {name_column: name, id_column: None}
    return {name_column: linked_name(field.references, found) or name, id_column: found}


def _owner_id(value: UUID | str | None) -> UUID | None:
    if value is None:
        return None
    found = colleague_by_email(value) if isinstance(value, str) else value
    if found is None or found not in possible_owners():
        raise FieldProblem("This user can't own a record here.", "Choose one from the list.")
    return found
