"""What every job goes through: signature, tenant, claim, function, outcome. RQ calls `run` and nothing else."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib import import_module
from uuid import UUID

import psycopg
from sqlalchemy.exc import SQLAlchemyError

from config.fault_injection import fault
from qikbiz.jobs import ledger, transport
from qikbiz.jobs.job_context import JobContext
from qikbiz.jobs.job_outcomes import Cancelled, LeaseLost, NotNow
from qikbiz.jobs.kinds import find_kind
from qikbiz.jobs.ledger import LedgerModel
from qikbiz.jobs.models import Job, PlatformJob
from qikbiz.kernel.database import control_transaction, runtime
from qikbiz.kernel.job_kinds import JobKind
from qikbiz.kernel.read_only import refuse_change
from qikbiz.trust.grants.queries import guest_for_job
from tenants.context import Tenant, tenant_context
from tenants.directory import read_tenant
from tenants.schema_version import is_served
from workers.heartbeat import Heartbeat
from workers.job_retries import record_failure, transaction_of, wait
from workers.process import application

logger = logging.getLogger(__name__)


class NotOurs(Exception):
    """Something in Redis that this product did not put there."""


def run(tenant: str | None, job: str, signature: str) -> None:
    """RQ's entry point in the forked process. Raises NotOurs for a job that we did not sign."""
    app = application()
    with app.app_context():
        tenant_id, job_id = UUID(tenant) if tenant else None, UUID(job)
        if not transport.is_signed(runtime().settings.keys, tenant_id, job_id, signature):
            logger.critical("job_not_ours", extra={"job": job})
            raise NotOurs("The signature is not ours.")
        runtime().after_fork()
        fault("job.before_claim")
        perform(tenant_id, job_id)


def perform(tenant_id: UUID | None, job_id: UUID) -> str:
    """Claim and do one job inside the current application context. Returns its outcome."""
    if tenant_id is None:
        return _perform(None, job_id)
    with control_transaction() as session:
        tenant = read_tenant(session, tenant_id, runtime().settings.base_domain)
    if tenant is None or tenant.state == "closed" or not is_served(tenant.version):
        # Nothing is lost: the row stays as it is and the sweeper asks again when the tenant can be served.
        logger.warning("job_left", extra={"job": str(job_id), "tenant": str(tenant_id)})
        return "left"
    with tenant_context(tenant):
        return _perform(tenant, job_id)


def _perform(tenant: Tenant | None, job_id: UUID) -> str:
    model: LedgerModel = Job if tenant else PlatformJob
    with transaction_of(tenant) as session:
        name = ledger.kind_of(session, model, job_id)
        if name is None:
            # Its row went with a savepoint, a retention or an erased tenant: it is no longer needed.
            logger.info("job_gone", extra={"job": str(job_id)})
            return "gone"
        kind = find_kind(name)
        if kind is None:
            # Of another release, perhaps: the row waits for a worker that knows it.
            logger.error("job_unknown", extra={"job": str(job_id), "kind": name})
            return "unknown"
        lease = runtime().settings.job_lease_seconds or kind.lease_seconds
        claimed = ledger.claim(session, model, job_id, lease)
    if claimed is None:
        return "not ours"
    fault("job.after_claim")
    with Heartbeat(claimed, tenant, _connector(tenant), lease) as heartbeat:
        limits = {"lease_seconds": lease, "timeout_seconds": kind.timeout_seconds}
        outcome = _attempt(JobContext(claimed, tenant, heartbeat.state, guest_for_job, **limits), kind)
    if tenant is not None:
        _bring_next(tenant, kind)
    return outcome


def _bring_next(tenant: Tenant, kind: JobKind) -> None:
    """The tenant's next job of this queue takes its place at the end of the line (qikbiz.jobs.actions)."""
    try:
        with transaction_of(tenant) as session:
            due = ledger.next_in_turn(session, Job, kind.queue)
    except (SQLAlchemyError, psycopg.Error) as error:
        # The sweeper brings it a moment later.
        logger.warning("next_job_not_brought", extra={"reason": type(error).__name__})
        return
    if due is not None:
        transport.announce(tenant.id, due)


def _attempt(work: JobContext, kind: JobKind) -> str:
    about = {"job": str(work.job_id), "kind": work.kind, "attempt": work.attempt}
    logger.info("job_started", extra=about)
    try:
        if kind.changes_records and work.tenant is not None:
            refuse_change(work.tenant)
        function_of(kind)(work)
        if not work.is_finished:
            with work.finish():
                pass
    except (LeaseLost, Cancelled) as reason:
        logger.warning("job_left", extra=about | {"reason": type(reason).__name__})
        return "fenced" if isinstance(reason, LeaseLost) else "cancelled"
    except NotNow as rest:
        return wait(work, rest)
    except Exception as error:
        if work.is_finished:
            # The effect is committed; what failed came after it and loses nothing.
            logger.exception("job_failed_after_its_end", extra=about)
            return "done"
        return record_failure(work, error)
    logger.info("job_done", extra=about)
    return "done"


def function_of(kind: JobKind) -> Callable[[JobContext], object]:
    """The declared function. Only names from the allow-list ever come here."""
    module, _, name = kind.function.partition(":")
    function: Callable[[JobContext], object] = getattr(import_module(module), name)
    return function


def _connector(tenant: Tenant | None) -> Callable[[], psycopg.Connection]:
    held = runtime()
    if tenant is not None:
        return lambda: held.cells.connect(tenant.cell)
    return lambda: psycopg.connect(held.settings.control_url, connect_timeout=5)
