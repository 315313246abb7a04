"""Reading imports: one, the list, the same file before, and what a report shows, page by page."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, and_, cast, func, or_, select, true

from qikbiz.audit.models import RecordChange
from qikbiz.database import db
from qikbiz.failures import NotFound
from qikbiz.imports.mapping import Mapping
from qikbiz.imports.models import Import, ImportRow, ImportUpdate
from qikbiz.jobs.queries import Progress, job, progress_of
from qikbiz.records.fields import RecordType
from qikbiz.records.types import RECORD_TYPES
from qikbiz.roles.current import current_rights
from qikbiz.roles.rights import Action

WORKING = ("checking", "applying", "undoing")
PAGE = 50


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a report; `after` is the row to go on behind, or None at the end."""

    rows: list[Any]
    after: int | None


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


def within_reach() -> ColumnElement[bool]:
    """The imports that this person may know of: as far as the role's importing of that type reaches."""
    rights, reached = current_rights(), []
    for kind in RECORD_TYPES.values():
        owners = rights.owners(kind.name, Action.IMPORT)
        whose = true() if owners is None else Import.created_by.in_(sorted(owners))
        reached.append(and_(Import.record_type == kind.plural, whose))
    return or_(*reached)


def import_within_reach(import_id: UUID, *, for_change: bool = False) -> Import:
    """As `import_for_reading` and `import_for_changing`, for pages: others' imports may not be there."""
    query = select(Import).where(Import.id == import_id, within_reach())
    if for_change:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = db.session.scalars(query).one_or_none()
    if found is None:
        raise NotFound("There is no such import.")
    return found


def recent_imports(*, before: UUID | None = None, limit: int = PAGE) -> list[Import]:
    """The newest first; `before` is the id of the last one shown."""
    query = select(Import).where(within_reach()).order_by(Import.id.desc()).limit(limit)
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


def updates(import_id: UUID, *, after: int = 0, limit: int = PAGE) -> Page:
    """Records to be changed, with old and new values, in the file's order."""
    query = select(ImportUpdate.row, ImportUpdate.record_id, ImportUpdate.subject, ImportUpdate.changes).where(
        ImportUpdate.import_id == import_id, ImportUpdate.row > after
    )
    return _page(list(db.session.execute(query.order_by(ImportUpdate.row).limit(limit + 1))), limit)


def problem_summary(import_id: UUID, limit: int = 10) -> list[tuple[str, str, int]]:
    """The most frequent reasons: (column, how to fix, rows)."""
    rows = (
        select(func.jsonb_array_elements(ImportRow.problems).label("problem"))
        .where(ImportRow.import_id == import_id, ImportRow.outcome == "invalid")
        .limit(10_000)
        .subquery()
    )
    column, advice = rows.c.problem.op("->>")("column"), rows.c.problem.op("->>")("how_to_fix")
    query = select(column, advice, func.count()).group_by(column, advice).order_by(func.count().desc()).limit(limit)
    return [(row[0], row[1], row[2]) for row in db.session.execute(query)]


def new_owners(found: Import, kind: RecordType) -> list[tuple[UUID, int]]:
    """Who was given records by an import, and how many. Asks only when the file has a column for owners."""
    if "owner_id" not in Mapping.from_json(found.mapping).fields():
        return []
    model: Any = kind.model
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
