"""Creating, changing, deleting and restoring any record; each writes history and audit in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select

from qikbiz.audit.actions import Changes, Source, record, record_change
from qikbiz.audit.models import RecordChange
from qikbiz.crm.records.assignment import note_new_owner
from qikbiz.crm.records.changes import changed_values, initial_values
from qikbiz.crm.records.mentions import tell_mentioned
from qikbiz.crm.records.row_access import (
    checked_owner,
    default_owner,
    no_such,
    refuse_locked,
    require_access,
    unseen_links,
    visible_rows,
)
from qikbiz.crm.schema.models import Record
from qikbiz.crm.schema.record_type import ModelT_co, RecordType, RecordTypeOf, derived_columns
from qikbiz.crm.schema.registry import call_on_change, call_on_purge
from qikbiz.identity.roles.current import current_rights
from qikbiz.kernel import clock
from qikbiz.kernel.actors import current_actor
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import Conflict, Forbidden
from qikbiz.kernel.permissions import PURGE, Action, record_permission
from tenants.control import new_id

MOST_AT_ONCE = 500


class ChangedMeanwhile(Conflict):
    """The record is no longer at the version that the person saw."""


def record_for_reading(record_type: RecordTypeOf[ModelT_co], record_id: UUID, *, in_trash: bool = False) -> ModelT_co:
    """The record, or NotFound. With `in_trash` also one that was deleted and that this person could bring back."""
    found = db.session.get(record_type.model, record_id)
    if found is None or (found.deleted_at is not None and not in_trash):
        raise no_such(record_type)
    require_access(record_type, found, Action.SEE)
    if found.deleted_at is not None and not _reaches(record_type, found, Action.DELETE):
        raise no_such(record_type)
    return found


def record_for_changing(
    record_type: RecordTypeOf[ModelT_co], record_id: UUID, *, in_trash: bool = False, action: Action = Action.CHANGE
) -> ModelT_co:
    """The record, locked until the end of the transaction. Raises NotFound, or Forbidden when it is only to be read."""
    found = db.session.get(record_type.model, record_id, with_for_update=True, populate_existing=True)
    if found is None or (found.deleted_at is not None) != in_trash:
        raise no_such(record_type)
    require_access(record_type, found, action)
    return found


def columns_of(record_type: RecordType, found: Record) -> dict[str, object]:
    """Every column of a record except the search document."""
    return {
        column.name: getattr(found, column.name) for column in record_type.model.__table__.c if column.name != "search"
    }


def create_record(
    record_type: RecordTypeOf[ModelT_co],
    values: Mapping[str, object],
    *,
    record_id: UUID | None = None,
    source: Source = "form",
) -> ModelT_co:
    """A new record of these columns. Raises FieldProblem when nothing names it, or a value may not be given."""
    if not current_rights().can(record_permission(record_type.name, Action.CREATE)):
        raise Forbidden(f"Your role does not allow you to create {record_type.plural}.")
    whole = {**values, **derived_columns(record_type, values)}
    record_type.check(whole)
    refuse_locked(record_type, list(initial_values(whole)))
    owner_id = whole.get("owner_id") or default_owner(record_type)
    whole["owner_id"] = checked_owner(record_type, owner_id, Action.CREATE)
    actor_id = current_actor().id
    created = record_type.model(id=record_id or new_id(), version=1, created_by=actor_id, updated_by=actor_id, **whole)
    db.session.add(created)
    db.session.flush()
    _note(record_type, created, "created", initial_values(whole), source)
    _tell(record_type, created, initial_values(whole))
    return created


def change_record(
    record_type: RecordType, found: Record, values: Mapping[str, object], *, source: Source = "form"
) -> Changes:
    """Write `values` over a locked record and give what changed; nothing is written when nothing did.

    Raises FieldProblem, and Forbidden or NotFound for a record that this person's rights don't reach.
    """
    require_access(record_type, found, Action.CHANGE)
    before = columns_of(record_type, found)
    whole = {**values, **derived_columns(record_type, values, before)}
    record_type.check({**before, **whole})
    changes = changed_values(found, whole)
    if not changes:
        return {}
    refuse_locked(record_type, list(changes), unseen_links(record_type, found))
    if "owner_id" in changes:
        checked_owner(record_type, whole["owner_id"], Action.CHANGE)
    for name in changes:
        setattr(found, name, whole[name])
    _touch(found)
    _note(record_type, found, "changed", changes, source)
    _tell(record_type, found, changes)
    call_on_change(record_type.name, found, changes)
    return changes


def require_version(found: Record, version: int) -> None:
    """Raises ChangedMeanwhile when somebody else was quicker."""
    if found.version != version:
        raise ChangedMeanwhile("Someone else changed this record.")


def delete_records(record_type: RecordType, ids: Sequence[UUID]) -> list[UUID]:
    """Move records to the trash; those gone, or out of reach, are left out. Gives the ids moved."""
    moved = records_for_changing(record_type, ids, action=Action.DELETE)
    for found in moved:
        found.deleted_at, found.deleted_by = clock.now(), current_actor().id
        _touch(found)
        _note(record_type, found, "deleted", {}, "form")
    return [found.id for found in moved]


def restore_records(record_type: RecordType, ids: Sequence[UUID]) -> list[UUID]:
    """Bring records back from the trash. Gives the ids brought back."""
    restored = records_for_changing(record_type, ids, in_trash=True, action=Action.DELETE)
    for found in restored:
        found.deleted_at = found.deleted_by = None
        _touch(found)
        _note(record_type, found, "restored", {}, "undo")
    return [found.id for found in restored]


def purge_record(record_type: RecordType, found: Record) -> None:
    """Remove a record in the trash for good, with its history. The audit keeps that it was there."""
    if not current_rights().can(record_permission(record_type.name, PURGE)):
        raise Forbidden(f"Your role does not allow you to permanently delete {record_type.plural}.")
    require_access(record_type, found, Action.DELETE)
    db.session.execute(delete(RecordChange).where(RecordChange.record_id == found.id))
    call_on_purge(record_type.name, found.id)
    record(
        f"{record_type.name}.purged",
        record_type=record_type.name,
        record_id=found.id,
        subject=name_of(record_type, found),
    )
    db.session.delete(found)
    db.session.flush()


def records_for_changing(
    record_type: RecordTypeOf[ModelT_co], ids: Iterable[UUID], *, in_trash: bool = False, action: Action = Action.CHANGE
) -> list[ModelT_co]:
    """The records of these ids that the act reaches, locked in one order: two people's selections can't block."""
    wanted = sorted(set(ids))[:MOST_AT_ONCE]
    model = record_type.model
    is_there = model.deleted_at.is_not(None) if in_trash else model.deleted_at.is_(None)
    reached = visible_rows(record_type, action)
    query = select(model).where(model.id.in_(wanted), is_there, *reached).order_by(model.id).with_for_update()
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def name_of(record_type: RecordType, found: object) -> str:
    """What a record is called."""
    return record_type.name_of({name: getattr(found, name) for name in record_type.name_columns})


def _reaches(record_type: RecordType, found: Record, action: Action) -> bool:
    return current_rights().reaches(record_type.name, action, found.owner_id)


def note_change(record_type: RecordType, found: Record, changes: Changes) -> None:
    """History of something beside the record's own columns, such as its links: counts as a new version."""
    _touch(found)
    _note(record_type, found, "changed", changes, "form")


def _touch(found: Record) -> None:
    found.version += 1
    found.updated_at, found.updated_by = clock.now(), current_actor().id


def _note(record_type: RecordType, found: Record, kind: Any, changes: Changes, source: Source) -> None:
    db.session.flush()
    subject = name_of(record_type, found)
    record_change(record_type.name, found.id, found.version, kind, changes, subject=subject, source=source)


def _tell(record_type: RecordType, found: Record, changes: Changes) -> None:
    """Whoever a change concerns."""
    if "owner_id" in changes:
        note_new_owner(record_type, found)
    if "description" in changes:
        tell_mentioned(record_type, found, *changes["description"])
