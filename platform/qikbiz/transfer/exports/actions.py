"""What people do with exports: request, cancel, download, delete. The worker's part is in `job_steps.py`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from config.keys import SealBroken
from qikbiz.audit.actions import record, record_on_platform
from qikbiz.files.store import FileGone, StoredFile, file_store, open_file_key
from qikbiz.identity.roles.current import current_rights
from qikbiz.jobs.actions import cancel, enqueue
from qikbiz.kernel import clock
from qikbiz.kernel.actors import Actor, current_actor
from qikbiz.kernel.database import after_commit, control_transaction, db, runtime
from qikbiz.kernel.errors import Conflict, Failure, TooMany
from qikbiz.security.access_log.kinds import AccessKind
from qikbiz.security.access_log.recorder import record_access
from qikbiz.transfer.exports import emails
from qikbiz.transfer.exports.access import refuse_unless_exportable
from qikbiz.transfer.exports.models import Export
from qikbiz.transfer.exports.selection import Selection
from qikbiz.transfer.exports.sources import check
from tenants.context import current_tenant
from tenants.control import new_id

OPEN = ("waiting", "running")
# A fourth would only wait behind the others; whoever asks 500 times keeps nobody else waiting.
MOST_OPEN = 3


class ExportGone(Failure):
    """The file has expired or was deleted."""

    status, key = 410, "gone"


def ask_for_export(selection: Selection, *, export_id: UUID | None = None) -> Export:
    """Have an export made. Asking again with the same `export_id` (a double click) gives the one that stands already.

    Raises Failure, Forbidden, TooMany.
    """
    actor = current_actor()
    rights = current_rights()
    refuse_unless_exportable(rights, selection.scope, selection.product)
    check(replace(selection, rights=rights))
    standing = db.session.get(Export, export_id) if export_id else None
    if standing is not None:
        return _ours(standing)
    _refuse_too_many(export_id)
    export, is_new = _insert(selection, export_id or new_id(), actor)
    if is_new:
        job = enqueue(
            "exports.create", {"export": str(export.id)}, dedupe_key=f"export {export.id}", created_by=actor.id
        )
        export.job_id = job.id
        _audit("export.asked", export, selection_facts(export))
    return export


def _ours(standing: Export) -> Export:
    if standing.requested_by != current_actor().id:
        raise Failure("This form is no longer valid. Open the page again.")
    return standing


def call_off(export: Export) -> None:
    """Stop an export that is not ready yet. Raises Conflict when it has ended."""
    changed = _move(export, OPEN, "deleted")
    if not changed:
        raise Conflict("This export has already ended.")
    if export.job_id is not None:
        cancel(export.job_id)
    _audit("export.cancelled", export)


def delete_export(export: Export) -> None:
    """Delete the file of a ready export now: its key in this transaction, its bytes after the commit."""
    name = export.file_path
    if not _move(export, ("ready",), "deleted", file_key=None, file_path=None):
        raise Conflict("The file of this export is already deleted.")
    _audit("export.deleted", export)
    if name:
        after_commit(db.session(), _deleting(name))


def file_of(export: Export) -> StoredFile:
    """The file, if it may still be fetched: asked at every request, ranges too. Raises ExportGone."""
    is_over = export.expires_at is None or export.expires_at <= clock.now()
    if export.state != "ready" or is_over or not export.file_path or not export.file_key:
        raise ExportGone
    try:
        key = open_file_key(runtime().settings.keys, export.file_path, export.file_key)
        return file_store().open(export.file_path, key)
    except (FileGone, SealBroken) as error:
        # The file was removed by hand, or the master key of its time is retired.
        raise ExportGone from error


def note_fetch(export: Export, *, first: int, last: int, device: str = "") -> None:
    """Audit one download, or one piece of it. Only the piece with the first byte counts as a download."""
    _audit("export.downloaded", export, {"first_byte": first, "last_byte": last, "bytes": export.file_bytes})
    if first > 0:
        return
    record_access(AccessKind.EXPORT_DOWNLOADED, detail=f"{export.scope.capitalize()}, {export.product}")
    count = update(Export).where(Export.id == export.id).values(downloads=Export.downloads + 1)
    if db.session.scalar(count.returning(Export.downloads)) == 1:
        emails.tell_of_first_download(export, current_actor(), device)


def selection_facts(export: Export) -> dict[str, object]:
    """What an audit event says about an export: no values, only what was asked for."""
    return {"scope": export.scope, "product": export.product, "filters": export.filters, "columns": export.columns}


def _refuse_too_many(export_id: UUID | None) -> None:
    # Those who ask at the same moment take their turns here, or each would count without the others.
    db.session.execute(text("LOCK TABLE exports IN SHARE ROW EXCLUSIVE MODE"))
    open_ones = select(func.count()).select_from(Export).where(Export.state.in_(OPEN), Export.id != export_id)
    standing = db.session.scalar(open_ones) or 0
    if standing >= MOST_OPEN:
        retry_at = clock.now() + timedelta(minutes=1)
        raise TooMany(f"{standing} exports are already in progress. Wait until one is ready.", retry_at=retry_at)


def _insert(selection: Selection, export_id: UUID, actor: Actor) -> tuple[Export, bool]:
    values = {
        "id": export_id,
        "scope": selection.scope,
        "product": selection.product,
        "filters": {name: list(texts) for name, texts in (selection.filters or {}).items()},
        "columns": list(selection.columns) or None,
        "instruction": actor.instruction,
        "grant_id": actor.grant,
        "actor_kind": actor.kind,
        "requested_by": actor.id,
        "requested_by_name": actor.name,
    }
    statement = insert(Export).values(values).on_conflict_do_nothing(index_elements=[Export.id]).returning(Export)
    export = db.session.scalars(statement).one_or_none()
    if export is not None:
        return export, True
    return db.session.scalars(select(Export).where(Export.id == export_id)).one(), False


def _move(export: Export, before: tuple[str, ...], after: str, **values: object) -> bool:
    """Change the state if it is one of `before` in the database now: of two at once, one does it."""
    statement = update(Export).where(Export.id == export.id, Export.state.in_(before)).values(state=after, **values)
    moved = db.session.scalar(statement.returning(Export.id)) is not None
    db.session.refresh(export)
    return moved


def _audit(action: str, export: Export, details: Mapping[str, object] | None = None) -> None:
    record(action, record_type="export", record_id=export.id, subject=export.scope, details=details)
    if current_actor().kind == "staff":
        # What staff do in a customer's data stands in both audits.
        with control_transaction():
            noted = {"export": str(export.id), "instruction": current_actor().instruction, **(details or {})}
            record_on_platform(action, tenant_id=current_tenant().id, subject=export.scope, details=noted)


def _deleting(name: str) -> Callable[[], None]:
    store = file_store()
    return lambda: store.delete(name)
