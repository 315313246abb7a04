"""What happened to a record, for its timeline; and that somebody looked at it, for the audit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from qikbiz.audit.actions import record
from qikbiz.audit.models import AuditEvent, RecordChange
from qikbiz.crm.records.actions import name_of
from qikbiz.crm.records.changes import shown_changes
from qikbiz.crm.records.links import linked_name
from qikbiz.crm.records.row_access import reached_id
from qikbiz.crm.schema.field import Field, Showing
from qikbiz.crm.schema.kinds.record_id import as_id
from qikbiz.crm.schema.models import Record
from qikbiz.crm.schema.record_type import RecordType
from qikbiz.crm.schema.registry import BY_SINGULAR
from qikbiz.kernel import clock
from qikbiz.kernel.actors import current_actor
from qikbiz.kernel.database import db

PAGE_SIZE = 30
# Looking twice within this time is one look.
ONE_LOOK = timedelta(minutes=5)
_ICONS = {"created": "plus", "changed": "edit", "deleted": "trash", "restored": "arrow-back-up"}
_VERBS = {"created": "created it", "deleted": "moved it to the trash", "restored": "restored it from the trash"}
_WAYS = {"import": "by an import", "undo": "by an undo", "command": "on the command line"}


@dataclass(frozen=True, slots=True)
class Moment:
    """One entry of a timeline. `changes` are (label, old, new) as they are shown."""

    icon: str
    who: str
    what: str
    at: datetime
    changes: list[tuple[str, str, str]]
    import_id: UUID | None = None


def timeline(
    record_type: RecordType, found: Record, people: Mapping[UUID, str], before: UUID | None = None
) -> tuple[list[Moment], UUID | None]:
    """The latest changes first, and from where to go on. The creation by an import stands at the end."""
    query = select(RecordChange).where(RecordChange.record_id == found.id).order_by(RecordChange.id.desc())
    if before is not None:
        query = query.where(RecordChange.id < before)
    changes = list(db.session.scalars(query.limit(PAGE_SIZE + 1)))
    shown = changes[:PAGE_SIZE]
    moments = [_moment(record_type, change, people) for change in shown]
    if len(changes) > PAGE_SIZE:
        return moments, shown[-1].id
    if not any(change.kind == "created" for change in shown):
        moments.append(_creation(found, people))
    return moments, None


def note_reading(record_type: RecordType, found: Record) -> None:
    """Add to the audit that somebody looked at this record, once in five minutes."""
    actor = current_actor()
    action = f"{record_type.name}.read"
    lately = select(AuditEvent.id).where(
        AuditEvent.record_id == found.id,
        AuditEvent.actor_id == actor.id,
        AuditEvent.action == action,
        AuditEvent.at > clock.now() - ONE_LOOK,
    )
    if db.session.execute(lately.limit(1)).first() is None:
        record(action, record_type=record_type.name, record_id=found.id, subject=name_of(record_type, found))


def _moment(record_type: RecordType, change: RecordChange, people: Mapping[UUID, str]) -> Moment:
    changes = _shown(record_type, change.changes, people)
    verb = _VERBS.get(change.kind) or _changed_what(changes)
    way = _WAYS.get(change.source, "") if change.kind != "restored" else ""
    who = change.actor_name or "QikBiz"
    # The first values are the record itself; repeating them says nothing.
    shown = [] if change.kind == "created" else changes
    return Moment(_ICONS.get(change.kind, "edit"), who, f"{verb} {way}".strip(), change.at, shown, change.import_id)


def _changed_what(changes: list[tuple[str, str, str]]) -> str:
    labels = [label for label, _, _ in changes]
    if len(labels) == 1:
        return f"changed {labels[0]}"
    return f"changed {len(labels)} fields" if labels else "changed it"


def _shown(
    record_type: RecordType, changes: Mapping[str, Any], people: Mapping[UUID, str]
) -> list[tuple[str, str, str]]:
    named = BY_SINGULAR[record_type.name].named_references
    unseen = [field for field in named if record_type.unsearchable & {*field.written_columns}]
    for field in unseen:
        changes = _without_unseen_names(field, changes)
    showing = Showing(people, linked_name)
    shown = [
        (field.label, field.describe(old, showing), field.describe(new, showing))
        for name, old, new in shown_changes(record_type, changes)
        for field in (record_type.field(name),)
    ]
    # Links beside the fields are noted under the plural of what they lead to.
    linked = [BY_SINGULAR[field.references] for field in named if field not in unseen]
    beside = [(kind.plural_label, *changes[kind.plural]) for kind in linked if kind.plural in changes]
    return shown + [(label, old or "", new or "") for label, old, new in beside]


def _without_unseen_names(field: Field, changes: Mapping[str, Any]) -> dict[str, Any]:
    """A history names records by text: only with their ids beside it is it known whether they may be seen."""
    id_column = field.written_columns[-1]
    ids = [as_id(ident) for ident in changes.get(id_column, ()) if ident]
    is_known = id_column in changes and all(reached_id(field.references, ident) for ident in ids)
    return {name: pair for name, pair in changes.items() if is_known or name not in field.written_columns}


def _creation(found: Record, people: Mapping[UUID, str]) -> Moment:
    by_import = found.created_by_import is not None
    who = (people.get(found.created_by) if found.created_by else None) or ("An import" if by_import else "QikBiz")
    what = "created it by an import" if by_import and found.created_by else "created it"
    return Moment("table-import" if by_import else "plus", who, what, found.created_at, [], found.created_by_import)
