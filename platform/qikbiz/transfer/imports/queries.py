"""Reading imports: one, the list, the same file before, and what a report shows, page by page."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, and_, case, cast, func, or_, select, true

from qikbiz.audit.models import RecordChange
from qikbiz.crm.records.row_access import visible_rows as within_sight
from qikbiz.crm.schema.record_type import RecordType
from qikbiz.crm.schema.registry import BY_SINGULAR, RECORD_TYPES
from qikbiz.identity.roles.current import current_rights
from qikbiz.jobs.queries import Progress, job, progress_of
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import NotFound
from qikbiz.kernel.permissions import Action
from qikbiz.transfer.imports.mapping import Mapping
from qikbiz.transfer.imports.models import Import, ImportRow, ImportUpdate

WORKING = ("checking", "applying", "undoing")
PAGE = 50


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a report; `after` is the row to go on behind, or None at the end."""

    rows: list[Any]
    after: int | None


@dataclass(frozen=True, slots=True)
class Update:
    """A record that the import changes; `changes` is {column: [old, new]}."""

    row: int
    record_id: UUID
    subject: str
    changes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A value that can't be read, in `cells` cells of a column; `refused` of these are in rows that are refused."""

    column: str
    value: str
    reason: str
    cells: int
    refused: int


def import_for_reading(import_id: UUID) -> Import:
    found = db.session.get(Import, import_id)
    if found is None:
        raise NotFound("There is no such import.")
    return found


def import_for_changing(import_id: UUID) -> Import:
    """The import, locked to the end of the transaction."""
    found = db.session.get(Import, import_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound("There is no such import.")
    return found


def visible_imports() -> ColumnElement[bool]:
    """The imports that this person may know of: as far as the role's importing of that type reaches."""
    rights, reached = current_rights(), []
    for kind in RECORD_TYPES.values():
        owners = rights.owners(kind.name, Action.IMPORT)
        whose = true() if owners is None else Import.created_by.in_(sorted(owners))
        reached.append(and_(Import.record_type == kind.plural, whose))
    return or_(*reached)


def import_within_reach(import_id: UUID, *, for_change: bool = False) -> Import:
    """As `import_for_reading` and `import_for_changing`, for pages: others' imports may not be there."""
    query = select(Import).where(Import.id == import_id, visible_imports())
    if for_change:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = db.session.scalars(query).one_or_none()
    if found is None:
        raise NotFound("There is no such import.")
    return found


def recent_imports(*, before: UUID | None = None, limit: int = PAGE) -> list[Import]:
    """The newest first; `before` is the id of the last one shown."""
    query = select(Import).where(visible_imports()).order_by(Import.id.desc()).limit(limit)
    return list(db.session.scalars(query.where(Import.id < before) if before else query))


def same_import_before(found: Import) -> Import | None:
    """An import of the same file with the same choices that stands: it was applied and not undone."""
    if not found.fingerprint:
        return None
    query = select(Import).where(
        Import.fingerprint == found.fingerprint, Import.state == "applied", Import.id != found.id
    )
    return db.session.scalars(query.order_by(Import.applied_at.desc()).limit(1)).first()


def same_file_before(found: Import) -> Import | None:
    """Any applied import of the same bytes."""
    query = select(Import).where(
        Import.file_sha256 == found.file_sha256, Import.state == "applied", Import.id != found.id
    )
    return db.session.scalars(query.order_by(Import.applied_at.desc()).limit(1)).first()


def progress_of_import(found: Import) -> Progress | None:
    """How far the job of this import is; None when there is none."""
    working = job(found.job_id) if found.job_id else None
    return progress_of(working) if working else None


def invalid_rows(import_id: UUID, *, after: int = 0, limit: int = PAGE) -> Page:
    """Rows refused, with their problems, in the file's order."""
    query = select(ImportRow.row, ImportRow.problems).where(
        ImportRow.import_id == import_id, ImportRow.outcome == "invalid", ImportRow.row > after
    )
    return _page(list(db.session.execute(query.order_by(ImportRow.row).limit(limit + 1))), limit)


def skipped_cells(import_id: UUID, *, after: int = 0, limit: int = PAGE) -> Page:
    """Rows that can be imported, or were, with the cells that they go without, in the file's order."""
    query = select(ImportRow.row, ImportRow.skipped.label("problems")).where(
        ImportRow.import_id == import_id,
        ImportRow.skipped.is_not(None),
        ImportRow.outcome != "invalid",
        ImportRow.row > after,
    )
    return _page(list(db.session.execute(query.order_by(ImportRow.row).limit(limit + 1))), limit)


def updates(import_id: UUID, record_type: RecordType, *, after: int = 0, limit: int = PAGE) -> Page:
    """Records to be changed, with old and new values, in the file's order: those that this person may see.

    `record_type` is the one that this person knows (`visible_type`): records are called by what they may see of them.
    """
    columns = record_type.model.__table__.c
    names = [columns[name].label(f"name_{name}") for name in record_type.name_columns]
    query = (
        select(ImportUpdate.row, ImportUpdate.record_id, ImportUpdate.changes, *names)
        .join(record_type.model, columns.id == ImportUpdate.record_id)
        .where(ImportUpdate.import_id == import_id, ImportUpdate.row > after, *within_sight(record_type, Action.SEE))
    )
    rows = db.session.execute(query.order_by(ImportUpdate.row).limit(limit + 1))
    return _page([_update(record_type, row) for row in rows], limit)


def _update(record_type: RecordType, row: Any) -> Update:
    named = dict.fromkeys(BY_SINGULAR[record_type.name].name_columns)
    named |= {name: getattr(row, f"name_{name}") for name in record_type.name_columns}
    return Update(row.row, row.record_id, record_type.name_of(named), row.changes)


def unreadable_values(import_id: UUID, *, limit: int = 5_000) -> list[Unreadable]:
    """Each different value that can't be read, by column, the most frequent first."""
    problems = case((ImportRow.outcome == "invalid", ImportRow.problems), else_=ImportRow.skipped)
    each = (
        select(ImportRow.outcome, func.jsonb_array_elements(problems).label("problem"))
        .where(ImportRow.import_id == import_id, or_(ImportRow.outcome == "invalid", ImportRow.skipped.is_not(None)))
        .subquery()
    )
    column, value = each.c.problem.op("->>")("column"), each.c.problem.op("->>")("value")
    reason = func.min(each.c.problem.op("->>")("reason"))
    refused = func.count().filter(each.c.outcome == "invalid")
    query = select(column, value, reason, func.count(), refused).where(column != "").group_by(column, value)
    return [Unreadable(*row) for row in db.session.execute(query.order_by(func.count().desc(), value).limit(limit))]


def new_owners(found: Import, kind: RecordType) -> list[tuple[UUID, int]]:
    """Who was given records by an import, and how many. Asks only when the file has a column for owners."""
    if "owner_id" not in Mapping.from_json(found.mapping).fields():
        return []
    model = kind.model
    created = select(model.owner_id, func.count()).where(
        model.created_by_import == found.id, model.owner_id.is_not(None)
    )
    owner = cast(RecordChange.changes["owner_id"][1].astext, Uuid)
    changed = select(owner, func.count()).where(
        RecordChange.import_id == found.id, RecordChange.changes.has_key("owner_id"), owner.is_not(None)
    )
    total: Counter[UUID] = Counter()
    for query in (created.group_by(model.owner_id), changed.group_by(owner)):
        for owner_id, amount in db.session.execute(query):
            total[owner_id] += amount
    return sorted(total.items())


def _page(rows: list[Any], limit: int) -> Page:
    shown = rows[:limit]
    return Page(shown, shown[-1].row if len(rows) > limit else None)


def are_records(kind: RecordType, ids: list[UUID]) -> bool:
    """Whether some of these are ids of records that this person sees."""
    model = kind.model
    query = select(model.id).where(model.id.in_(ids), *within_sight(kind, Action.SEE)).limit(1)
    return bool(ids) and db.session.scalar(query) is not None
