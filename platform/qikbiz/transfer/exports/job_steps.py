"""The steps of the worker that makes an export; each is called inside one transaction of the job's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from qikbiz.audit.actions import record
from qikbiz.files.store import PART, file_store, seal_file_key
from qikbiz.identity.accounts.models import User
from qikbiz.identity.roles.builtin_roles import everything
from qikbiz.identity.roles.current import rights_of_user
from qikbiz.jobs.actions import enqueue
from qikbiz.jobs.models import Job
from qikbiz.kernel import clock
from qikbiz.kernel.actors import Actor, acting_as, kind_of
from qikbiz.kernel.database import after_commit, control_transaction, runtime
from qikbiz.kernel.errors import Forbidden
from qikbiz.kernel.rights import NOTHING, Rights
from qikbiz.kernel.timezones import zone_of
from qikbiz.transfer.exports import emails
from qikbiz.transfer.exports.access import as_kept, still_allows
from qikbiz.transfer.exports.actions import OPEN, selection_facts
from qikbiz.transfer.exports.contributions import is_approved
from qikbiz.transfer.exports.models import Export
from qikbiz.transfer.exports.orders import MadeFile
from qikbiz.transfer.exports.selection import Selection
from tenants.context import Tenant, current_tenant

KEPT = timedelta(days=7)
LOOK_AGAIN = timedelta(seconds=5)
STOPPED = "The right to create this export was revoked while it was in progress."
CALLED_OFF = "This export was cancelled."
LOST = "The worker stopped several times while creating it."


@dataclass(frozen=True)
class Begun:
    """An export that this worker makes now; `about` is what its manifest says of the request."""

    id: UUID
    selection: Selection
    about: dict[str, Any]


def begin(session: Session, export_id: UUID, job_id: UUID) -> Begun | None:
    """Mark the export as running. None: it has ended, or another one of this tenant runs and ours comes later."""
    # All open ones are locked, so that two workers don't both find themselves alone.
    open_ones = session.scalars(select(Export).where(Export.state.in_(OPEN)).order_by(Export.id).with_for_update())
    exports = {export.id: export for export in open_ones}
    export = exports.get(export_id)
    if export is None:
        return None
    if _another_runs(session, exports, export_id):
        _come_back_later(export, job_id)
        return None
    export.state = "running"
    _clear_away(session, export_id, keep=None)
    return Begun(export.id, selection_of(session, export), _about(export))


def refuse_if_revoked(session: Session, export_id: UUID, selection: Selection) -> None:
    """Asked before each table. Raises Forbidden when the export was called off or whoever asked may no longer.

    Less than `selection` was begun with is as good as nothing: the tables written so far would hold too much.
    """
    export = session.get(Export, export_id)
    if export is None or export.state != "running":
        raise Forbidden(CALLED_OFF)
    if not still_allows(_rights_for(export), selection.rights, export.scope, export.product):
        raise Forbidden(STOPPED)


def complete(session: Session, begun: Begun, made: MadeFile, key: bytes) -> None:
    """The file exists: say so in the row, the audit and the mails. Raises Forbidden when it is no longer wanted."""
    export_id = begun.id
    refuse_if_revoked(session, export_id, begun.selection)
    export = session.get_one(Export, export_id)
    export.state = "ready"
    export.snapshot_at = made.snapshot_at
    export.ready_at = clock.now()
    export.expires_at = export.ready_at + KEPT
    export.file_path = made.name
    export.file_key = seal_file_key(runtime().settings.keys, made.name, key)
    export.file_bytes, export.file_sha256, export.work_seconds = made.bytes, made.sha256, made.work_seconds
    export.manifest = {name: made.manifest[name] for name in ("files", "totals", "left_out")}
    export.manifest["rights"] = as_kept(begun.selection.rights)
    with acting_as(requester_of(export)):
        facts = {"rows": made.manifest["totals"]["rows"], "sha256": made.sha256}
        record("export.ready", record_type="export", record_id=export.id, subject=export.scope, details=facts)
    emails.tell_of_ready(export)
    _clear_away(session, export_id, keep=made.name)


def give_up(session: Session, export_id: UUID, problem: str, reference: str) -> None:
    """The export will not be made. Does nothing when it has ended otherwise."""
    statement = update(Export).where(Export.id == export_id, Export.state.in_(OPEN))
    values = {"state": "failed", "error_ref": reference, "manifest": {"problem": problem}}
    export = session.scalars(statement.values(values).returning(Export)).one_or_none()
    if export is None:
        return
    with acting_as(requester_of(export)):
        facts = selection_facts(export) | {"problem": problem, "reference": reference}
        record("export.failed", record_type="export", record_id=export.id, subject=export.scope, details=facts)
    emails.tell_of_failure(export, problem, reference)


def expire(session: Session) -> int:
    """Delete what has had its time: keys now, bytes after the commit. Give up what no worker will finish."""
    _give_up_lost(session)
    over = select(Export).where(Export.state == "ready", Export.expires_at <= func.now()).with_for_update()
    expired = session.scalars(over).all()
    names = {export.file_path for export in expired if export.file_path}
    for export in expired:
        export.state, export.file_key, export.file_path = "expired", None, None
    session.flush()
    names |= _strays(session)
    after_commit(session, lambda: _delete(names))
    return len(expired)


def _strays(session: Session) -> set[str]:
    """Files of the tenant that no export has and none is making: what workers left that died for good.

    First the files, then the exports being made, then the finished ones: in this order a file that is finished
    meanwhile is seen in one of the two.
    """
    names = file_store().names(folder_of(current_tenant()))
    being_made = tuple(
        names_of(current_tenant(), export_id)
        for export_id in session.scalars(select(Export.id).where(Export.state.in_(OPEN)))
    )
    kept = set(session.scalars(select(Export.file_path).where(Export.file_path.is_not(None))))
    return {name for name in names if name not in kept and not name.startswith(being_made)}


def is_kept(session: Session, name: str) -> bool:
    """Whether some export's file has this name."""
    return session.scalar(select(Export.id).where(Export.file_path == name)) is not None


def selection_of(session: Session, export: Export) -> Selection:
    person = session.get(User, export.requested_by) if export.requested_by else None
    zone = (person.time_zone if person else "") or current_tenant().time_zone
    return Selection(
        export.scope,
        export.product,
        export.filters,
        tuple(export.columns or ()),
        _rights_for(export),
        zone_of(zone),
    )


def requester_of(export: Export) -> Actor:
    kind = kind_of(export.actor_kind)
    return Actor(kind, export.requested_by, export.requested_by_name, export.instruction, grant=export.grant_id)


def folder_of(tenant: Tenant) -> str:
    return f"exports/{tenant.id}/"


def names_of(tenant: Tenant, export_id: UUID) -> str:
    """What the files of every try at one export begin with."""
    return f"{folder_of(tenant)}{export_id}-"


def _clear_away(session: Session, export_id: UUID, *, keep: str | None) -> None:
    """After the commit, which only the holder of the claim reaches: delete what other tries left.

    Before there is a file to keep, drafts only: a worker that was frozen right here and wakes up after its successor
    is done must not find a finished file to delete.
    """
    prefix = names_of(current_tenant(), export_id)

    def clear() -> None:
        names = file_store().names(prefix)
        _delete({name for name in names if (name != keep if keep else name.endswith(PART))})

    after_commit(session, clear)


def _another_runs(session: Session, exports: dict[UUID, Export], export_id: UUID) -> bool:
    others = [one.job_id for one in exports.values() if one.state == "running" and one.id != export_id and one.job_id]
    alive = select(Job.id).where(Job.id.in_(others), Job.state.in_(("pending", "running"))).limit(1)
    return bool(others) and session.scalar(alive) is not None


def _come_back_later(export: Export, job_id: UUID) -> None:
    later = clock.now() + LOOK_AGAIN
    arguments = {"export": str(export.id)}
    job = enqueue(
        "exports.create", arguments, dedupe_key=f"after {job_id}", run_at=later, created_by=export.requested_by
    )
    export.job_id = job.id


def _rights_for(export: Export) -> Rights:
    """What the user who asked may have now; without a user all or nothing, as the features say."""
    if export.actor_kind == "user":
        return rights_of_user(export.requested_by) if export.requested_by else NOTHING
    with control_transaction() as control:
        return everything() if is_approved(control, export) else NOTHING


def _about(export: Export) -> dict[str, Any]:
    asked = {"export": str(export.id), "requested_at": export.requested_at.isoformat()}
    return asked | {"requested_by": export.requested_by_name, "instruction": export.instruction}


def _give_up_lost(session: Session) -> None:
    lost = (
        select(Export.id, Job.error_text, Job.error_ref)
        .join(Job, Job.id == Export.job_id)
        .where(Export.state.in_(OPEN), Job.state.in_(("failed", "quarantined")))
    )
    for export_id, problem, reference in session.execute(lost).all():
        give_up(session, export_id, problem or LOST, reference)


def _delete(names: set[str]) -> None:
    for name in sorted(names):
        file_store().delete(name)
