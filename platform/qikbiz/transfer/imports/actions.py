"""An import's way: uploaded → mapped → checked → applied, perhaps undone. Until applied, each step can be repeated."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from typing import IO, Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from qikbiz.audit.actions import record
from qikbiz.crm.records.field_access import visible_type
from qikbiz.crm.schema.record_type import RecordType
from qikbiz.crm.schema.registry import record_type
from qikbiz.identity.roles.current import current_rights
from qikbiz.jobs.actions import cancel, enqueue
from qikbiz.kernel.actors import current_actor
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import Conflict, Failure, Forbidden
from qikbiz.kernel.permissions import Action
from qikbiz.transfer.exports.formula_escape import FORMULA_SAFE_SUFFIX
from qikbiz.transfer.imports.archives import opened
from qikbiz.transfer.imports.cell_policy import OPTION, CellPolicy
from qikbiz.transfer.imports.csv_dialect import Format, UnreadableFile, checked_format, detect, with_header_found
from qikbiz.transfer.imports.csv_reader import RowReader, keepable
from qikbiz.transfer.imports.import_context import ACTING, SAMPLE_ROWS, cell_policy_of, format_of, source_of
from qikbiz.transfer.imports.mapping import Mapping, checked_mapping, guess, has_key
from qikbiz.transfer.imports.models import Import, ImportRow, ImportUpdate
from qikbiz.transfer.imports.plans import MODES
from qikbiz.transfer.imports.queries import WORKING, are_records, progress_of_import
from qikbiz.transfer.imports.uploads import Kept, Source, forget_upload, keep_upload, kept_upload

# Long enough to mend the failed rows; the customer has the file anyway.
KEPT = timedelta(days=30)
BEFORE_APPLY = ("uploaded", "mapped", "checking", "checked", "failed", "cancelled")


def start_import(import_id: UUID, type_name: str, file_name: str, given: IO[bytes]) -> Import:
    """Keep the file and look at it. The same `import_id` again (a double click) gives the first one.

    Raises UnreadableFile or Forbidden, and then nothing is kept.
    """
    known = db.session.get(Import, import_id)
    if known is not None:
        return _ours(known)
    wanted = visible_type(record_type(type_name))
    if not current_rights().scope(wanted.name, Action.IMPORT):
        raise Forbidden(f"Your role does not allow you to import {wanted.plural}.")
    content, file_name = opened(given, file_name)
    kept = keep_upload(content)
    try:
        found = _added(_described(import_id, wanted, file_name, kept))
    except BaseException:
        forget_upload(kept.name)
        raise
    if found.file_path != kept.name:
        forget_upload(kept.name)
        return _ours(found)
    record_event(found, "uploaded", {"bytes": found.file_bytes, "sha256": found.file_sha256})
    return found


def choose_format(
    found: Import,
    *,
    encoding: str,
    delimiter: str,
    has_header: bool,
    is_formula_safe: bool | None = None,
    header_row: int | None = None,
) -> None:
    """Read the file as the person says; the columns are guessed anew. Raises UnreadableFile.

    Without a `header_row` of their own choice it is looked for again when the file is read otherwise.
    """
    _refuse_unless_open(found)
    before = format_of(found)
    shape = checked_format(
        before,
        encoding=encoding,
        delimiter=delimiter,
        has_header=has_header,
        is_formula_safe=before.is_formula_safe if is_formula_safe is None else is_formula_safe,
        header_row=(before.header_row if header_row is None else header_row) if has_header else 0,
    )
    is_read_otherwise = (shape.encoding, shape.delimiter) != (before.encoding, before.delimiter)
    if is_read_otherwise and shape.header_row == before.header_row:
        shape = with_header_found(source_of(found), shape)
    if shape != before or not found.header:
        _take_format(found, shape, source_of(found))
        found.state, found.counts = "uploaded", {}


def choose_columns(found: Import, mapping: Mapping, *, key: str, mode: str, options: dict[str, str]) -> None:
    """Say which column goes where, how records are found and what to do. Raises UnusableMapping."""
    _refuse_unless_open(found)
    wanted = visible_type(record_type(found.record_type))
    if mode not in MODES:
        raise UnreadableFile("Choose whether to create, to update, or both.")
    checked_mapping(wanted, mapping, found.header, key, finds_existing=mode != "create")
    cells = cell_policy_of(found).after(Mapping.from_json(found.mapping), mapping)
    found.mapping, found.key_field, found.mode = mapping.as_json(), key, mode
    found.options = {**found.options, **options, OPTION: cells.as_json()}
    found.fingerprint = _fingerprint(found)
    found.state, found.counts, found.problem = "mapped", {}, ""


def choose_cell_policy(found: Import, cells: CellPolicy) -> None:
    """Say what becomes of cells that can't be read. The file has to be checked again afterwards."""
    _refuse_unless_open(found)
    mapping = Mapping.from_json(found.mapping)
    if not mapping.columns:
        raise Conflict("Map the columns first.")
    found.options = {**found.options, OPTION: cells.after(mapping, mapping).as_json()}
    found.fingerprint = _fingerprint(found)
    found.state, found.counts, found.problem = "mapped", {}, ""


def ask_check(found: Import) -> None:
    """Have the dry run made, unless it is being made. Repeated, it shows what would happen now."""
    if _is_working(found):
        return
    _refuse_unless_open(found)
    if found.state == "uploaded" or not found.mapping:
        raise Conflict("Map the columns first.")
    _start(found, "checking", "imports.check")


def ask_apply(found: Import) -> None:
    """Have exactly what the dry run has shown done, once however often this is asked."""
    if found.state in ("applied", "undoing", "undone") or (found.state == "applying" and _is_working(found)):
        return
    if found.state not in ("checked", "applying"):
        raise Conflict("Check the file first to see what the import will do.")
    _start(found, "applying", "imports.apply")
    record_event(found, "apply_asked", {})


def ask_undo(found: Import, *, anyway: bool = False) -> None:
    """Have the import taken back; `anyway` also what was changed since. What an undo kept may be asked for again."""
    if found.state == "undoing" and _is_working(found):
        return
    if found.state == "undone" and not found.undo_counts.get("kept"):
        return
    if found.state not in ("applied", "undoing", "undone"):
        raise Conflict("Only a completed import can be undone.")
    _start(found, "undoing", "imports.undo", anyway=anyway)
    record_event(found, "undo_asked", {"anyway": True} if anyway else {})


def call_off(found: Import) -> bool:
    """Cancel a check, an import or an undo that has not been committed yet. False when it was too late.

    The job's row says so to the worker, which leaves at its next step; without its claim it can't commit anything.
    """
    if found.state not in WORKING or not found.job_id or not cancel(found.job_id):
        return False
    # What an undo that was cancelled leaves is the import as it was.
    before_undo = "undone" if found.undone_at else "applied"
    found.state, found.problem = before_undo if found.state == "undoing" else "cancelled", ""
    record_event(found, "cancelled", {})
    return True


def forget_files(session: Session) -> int:
    """Delete uploads of imports that are over, and of those that nobody went on with. Gives how many."""
    old = Import.created_at < func.now() - KEPT
    over = select(Import).where(Import.file_key.is_not(None), old, Import.state.not_in(WORKING)).with_for_update()
    forgotten = list(session.scalars(over))
    for found in forgotten:
        forget_upload(found.file_path)
        found.file_key = None
        session.execute(delete(ImportRow).where(ImportRow.import_id == found.id))
        session.execute(delete(ImportUpdate).where(ImportUpdate.import_id == found.id))
    return len(forgotten)


def record_event(found: Import, action: str, details: dict[str, Any]) -> None:
    """Write to the tenant's audit what an import did; what it holds stays out."""
    record(
        f"import.{action}",
        record_type="import",
        record_id=found.id,
        subject=found.file_name,
        details={"type": found.record_type, **details},
    )


def _ours(known: Import) -> Import:
    # An id is no secret: a colleague's import is not taken over by sending its number.
    if known.created_by != current_actor().id:
        raise Failure("This form is no longer valid. Open the page again.")
    return known


def _described(import_id: UUID, wanted: RecordType, file_name: str, kept: Kept) -> Import:
    """A new import with all that can be known of its file. Raises UnreadableFile."""
    source, actor = kept_upload(kept.name, kept.key), current_actor()
    found = detect(source)
    created = Import(
        id=import_id,
        record_type=wanted.plural,
        state="uploaded",
        file_name=keepable(file_name)[-200:] or "file.csv",
        file_path=kept.name,
        file_key=kept.key,
        file_bytes=kept.size,
        file_sha256=kept.sha256,
        key_field=wanted.key_fields[0],
        mode="upsert",
        rows=found.lines,
        options={},
        counts={},
        instruction=actor.instruction,
        grant_id=actor.grant,
        actor_kind=actor.kind,
        created_by=actor.id,
        created_by_name=actor.name,
    )
    is_ours = created.file_name.endswith(FORMULA_SAFE_SUFFIX)
    shape = with_header_found(source, replace(found.format, is_formula_safe=is_ours))
    _take_format(created, shape, source)
    return created


def _added(created: Import) -> Import:
    """The import, or the one that a second click at the same moment was quicker to add."""
    import_id = created.id
    try:
        with db.session.begin_nested():
            db.session.add(created)
    except IntegrityError:
        return db.session.get_one(Import, import_id)
    return created


def _take_format(found: Import, shape: Format, source: Source) -> None:
    found.encoding, found.delimiter = shape.encoding, shape.delimiter
    kept = {name: value for name, value in found.options.items() if name != OPTION}
    read = {"has_header": shape.has_header, "is_formula_safe": shape.is_formula_safe}
    found.options = {**kept, **read, "header_row": 0}
    if not shape.encoding:
        found.header, found.mapping = [], {}
        return
    reader = RowReader(source, shape)
    found.options = {**found.options, "header_row": reader.header_row}
    first = []
    for _, cells, _ in reader:
        first.append(cells)
        if len(first) == SAMPLE_ROWS:
            break
    if not first:
        raise UnreadableFile("The file has a header but no rows.")
    found.header = reader.header
    wanted = visible_type(record_type(found.record_type))
    guessed = guess(wanted, reader.header, first, lambda ids: are_records(wanted, ids))
    found.mapping = guessed.as_json()
    possible = [key for key in ("id", *wanted.key_fields) if has_key(wanted, guessed.fields(), key)]
    found.key_field = (possible or wanted.key_fields)[0]
    # Where nothing tells a row's record from others, there is none to be found: each row is a new one.
    found.mode = "upsert" if possible else "create"


def _fingerprint(found: Import) -> str:
    """The same bytes with the same choices: the same import."""
    options = {name: value for name, value in found.options.items() if name != ACTING}
    shape = format_of(found)
    chosen = [
        found.file_sha256,
        found.record_type,
        found.mapping,
        options,
        found.key_field,
        found.mode,
        shape.encoding,
        shape.delimiter,
    ]
    return hashlib.sha256(json.dumps(chosen, sort_keys=True).encode()).hexdigest()


def _start(found: Import, state: str, kind: str, **choices: bool) -> None:
    kept = record_type(found.record_type)
    if not current_rights().scope(kept.name, Action.IMPORT):
        raise Forbidden(f"Your role does not allow you to import {kept.plural}.")
    found.state, found.problem = state, ""
    actor = current_actor()
    # Who asked for this step: not always who uploaded the file.
    acting = {
        "kind": actor.kind,
        "id": str(actor.id) if actor.id else None,
        "name": actor.name,
        "words": actor.instruction,
        "grant": str(actor.grant) if actor.grant else None,
        **choices,
    }
    found.options = {**found.options, ACTING: acting}
    found.job_id = enqueue(kind, {"import": str(found.id)}, created_by=actor.id).id
    db.session.flush()


def _is_working(found: Import) -> bool:
    """Whether a job is at it. A job that has given up may be asked for again."""
    progress = progress_of_import(found)
    return found.state in WORKING and progress is not None and not progress.is_over


def _refuse_unless_open(found: Import) -> None:
    if found.state not in BEFORE_APPLY or _is_working(found):
        raise Conflict("This import is in progress, or is done. To import the file again, upload it again.")
