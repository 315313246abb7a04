"""Making an export, and deleting what has expired."""

from __future__ import annotations

import secrets
from uuid import UUID

from config.fault_injection import fault
from qikbiz.files.store import FileStore, file_store, new_file_key
from qikbiz.jobs.job_context import JobContext
from qikbiz.jobs.job_outcomes import JobRefused
from qikbiz.kernel.database import tenant_transaction
from qikbiz.kernel.errors import Failure
from qikbiz.transfer.exports import job_steps
from qikbiz.transfer.exports.contributions import call_after_making
from qikbiz.transfer.exports.job_steps import Begun
from qikbiz.transfer.exports.orders import MadeFile, Order
from qikbiz.transfer.exports.registry import maker_of
from tenants.context import Tenant

PROBLEM = "Something went wrong on our side. Create the export again."


def make_export(work: JobContext) -> None:
    """Make the file of `work.arguments["export"]`. Killed anywhere, the next try starts again and clears up."""
    export_id = UUID(work.arguments["export"])
    try:
        with work.as_asker():
            _make_unless_over(work, export_id)
    except Failure as failure:
        _give_up(work, export_id, failure.text or PROBLEM)
        raise JobRefused(failure.text or PROBLEM) from failure
    except Exception:
        # Any error: after the last try the user must see a failed export, not one that waits.
        if work.attempt >= work.claim.max_attempts:
            _give_up(work, export_id, PROBLEM)
        raise
    # After the end of the job: what fails here, the features that registered it do later themselves.
    call_after_making(_tenant(work))


def expire_exports(work: JobContext) -> None:
    """Every six hours (feature.py): delete files after their seven days, and what dead workers left lying."""
    with work.finish() as session:
        job_steps.expire(session)


def _make_unless_over(work: JobContext, export_id: UUID) -> None:
    with work.step() as session:
        begun = job_steps.begin(session, export_id, work.job_id)
    if begun is not None:
        fault("export.begun")
        _make(work, begun, file_store())


def _make(work: JobContext, begun: Begun, store: FileStore) -> None:
    tenant, key = _tenant(work), new_file_key()
    # Of this try alone: a worker that was frozen and wakes up can't write over its successor's file.
    name = f"{job_steps.names_of(tenant, begun.id)}{work.claim.token.hex[:12]}"
    order = Order(
        tenant,
        begun.selection,
        name,
        key,
        begun.about,
        watch=work.progress,
        before_table=lambda _table: _refuse_if_revoked(tenant, begun),
    )
    try:
        made = maker_of(begun.selection.product)(order, store)
        fault("export.before_finish")
        _complete(work, begun, made, key)
    except BaseException:
        _discard(tenant, name, store)
        raise


def _complete(work: JobContext, begun: Begun, made: MadeFile, key: bytes) -> None:
    with work.finish(result={"export": str(begun.id), "bytes": made.bytes}) as session:
        job_steps.complete(session, begun, made, key)


def _discard(tenant: Tenant, name: str, store: FileStore) -> None:
    """Delete the file of a try that failed, unless the failure came after the commit that made it the export's."""
    with tenant_transaction(tenant) as session:
        is_kept = job_steps.is_kept(session, name)
    if not is_kept:
        store.delete(name)


def _refuse_if_revoked(tenant: Tenant, begun: Begun) -> None:
    with tenant_transaction(tenant) as session:
        job_steps.refuse_if_revoked(session, begun.id, begun.selection)


def _give_up(work: JobContext, export_id: UUID, problem: str) -> None:
    with work.step() as session:
        job_steps.give_up(session, export_id, problem, f"E-{secrets.token_hex(4).upper()}")


def _tenant(work: JobContext) -> Tenant:
    if work.tenant is None:
        raise JobRefused("An export belongs to a tenant.")
    return work.tenant
