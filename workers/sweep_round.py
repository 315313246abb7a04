"""One round of the sweeper: the platform's ledger, the tenants that have a mark, and a few of all the others."""

from __future__ import annotations

import logging
import math
import time
from collections import defaultdict
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import SQLAlchemyError

from qikbiz.audit.actions import record_on_platform
from qikbiz.jobs import ledger, transport
from qikbiz.jobs.actions import mark_pending
from qikbiz.jobs.ledger import Due
from qikbiz.jobs.models import Job, PlatformJob
from qikbiz.kernel.database import control_transaction, runtime, tenant_transaction
from qikbiz.kernel.job_kinds import QUEUES
from qikbiz.messaging.mail.models import Mail, PlatformMail
from tenants.context import Tenant
from tenants.control import PendingWork, TenantRecord
from tenants.directory import read_tenant
from tenants.redis import RedisAway
from tenants.schema_version import is_served
from workers.figures import AllFigures

FULL_ROUND_SECONDS = 300.0
MARKS_A_ROUND = 500
# A mark is written just before the commit it belongs to; this is how long that commit may take.
MARK_GRACE_SECONDS = 60
# Between a worker's pop and its claim a job is in no list; not announcing it again for some rounds spares a look.
ANNOUNCED_AGAIN_ROUNDS = 3
logger = logging.getLogger(__name__)


class Sweep:
    """What is remembered between rounds; all of it may be lost."""

    def __init__(self) -> None:
        self.figures = AllFigures()
        self._announced: dict[str, float] = {}
        self._waiting: dict[str, set[str]] = {}
        self._rest: list[UUID] = []
        self._rest_began = 0.0

    def round(self) -> int:
        """Look once; how many jobs were announced."""
        self._recall()
        announced = self._platform()
        with control_transaction() as session:
            now = session.scalar(select(func.now()))
            marks = select(PendingWork.tenant_id, PendingWork.marked_at).where(PendingWork.due_at <= func.now())
            marked = list(session.execute(marks.order_by(PendingWork.due_at).limit(MARKS_A_ROUND)))
        assert now is not None
        for tenant_id, marked_at in marked:
            announced += self._marked(tenant_id, marked_at, now)
        for tenant_id in self._some_of_all():
            announced += self._unmarked(tenant_id)
        return announced

    def _recall(self) -> None:
        """Read what Redis holds already, so that a job that waits its turn is not announced twice."""
        horizon = time.monotonic() - ANNOUNCED_AGAIN_ROUNDS * runtime().settings.sweep_seconds
        self._announced = {travel: at for travel, at in self._announced.items() if at > horizon}
        try:
            self._waiting = {queue: transport.waiting(queue) for queue in QUEUES}
        except RedisAway:
            self._waiting = defaultdict(set)

    def _platform(self) -> int:
        with control_transaction() as session:
            quarantined = ledger.quarantine_lost(session, PlatformJob)
            due = ledger.due_jobs(session, PlatformJob)
            self.figures.look(session, None, PlatformJob, PlatformMail)
        _report(quarantined, None)
        return self._announce(None, due)

    def _marked(self, tenant_id: UUID, marked_at: datetime, now: datetime) -> int:
        try:
            announced, next_at = self._look(tenant_id)
        except SQLAlchemyError as error:
            # One tenant whose database is away must not keep the others waiting.
            logger.warning("tenant_not_swept", extra={"tenant": str(tenant_id), "reason": type(error).__name__})
            return 0
        if next_at is None and (now - marked_at).total_seconds() < MARK_GRACE_SECONDS:
            return announced
        unchanged = (PendingWork.tenant_id == tenant_id, PendingWork.marked_at == marked_at)
        with control_transaction() as session:
            if next_at is None:
                session.execute(delete(PendingWork).where(*unchanged))
            else:
                session.execute(update(PendingWork).where(*unchanged).values(due_at=next_at))
        return announced

    def _unmarked(self, tenant_id: UUID) -> int:
        try:
            announced, next_at = self._look(tenant_id)
        except SQLAlchemyError as error:
            logger.warning("tenant_not_swept", extra={"tenant": str(tenant_id), "reason": type(error).__name__})
            return 0
        if next_at is not None:
            mark_pending(tenant_id, next_at)
        return announced

    def _look(self, tenant_id: UUID) -> tuple[int, datetime | None]:
        """Announce what is due in one tenant; when to look again, None for never."""
        with control_transaction() as session:
            tenant = read_tenant(session, tenant_id, runtime().settings.base_domain)
        if tenant is None or not _is_open(tenant):
            self.figures.discard(tenant_id)
            return 0, None
        with tenant_transaction(tenant) as session:
            quarantined = ledger.quarantine_lost(session, Job)
            due = ledger.due_jobs(session, Job)
            at_work = ledger.queues_at_work(session, Job)
            next_at = ledger.next_due_at(session, Job)
            self.figures.look(session, tenant_id, Job, Mail)
        _report(quarantined, tenant_id)
        return self._announce(tenant_id, self._in_turn(due, at_work)), next_at

    def _in_turn(self, due: list[Due], at_work: set[str]) -> list[Due]:
        """Of each queue the tenant's longest waiting job, where none is being done or before the workers already."""
        taken = at_work | {job.queue for job in due if self._is_announced(job)}
        first: dict[str, Due] = {}
        for job in due:
            if job.queue not in taken:
                first.setdefault(job.queue, job)
        return list(first.values())

    def _is_announced(self, job: Due) -> bool:
        travel = transport.travel_id(job)
        return travel in self._waiting[job.queue] or travel in self._announced

    def _announce(self, tenant_id: UUID | None, due: list[Due]) -> int:
        announced = 0
        for job in due:
            if self._is_announced(job):
                continue
            if not transport.announce(tenant_id, job):
                break
            self._announced[transport.travel_id(job)] = time.monotonic()
            announced += 1
        return announced

    def _some_of_all(self) -> list[UUID]:
        """The next slice of all tenants, so that each is looked at about every five minutes, mark or no mark."""
        if not self._rest and time.monotonic() - self._rest_began >= FULL_ROUND_SECONDS:
            self._rest_began = time.monotonic()
            with control_transaction() as session:
                self._rest = list(session.scalars(select(TenantRecord.id).order_by(TenantRecord.id)))
            self._slice = math.ceil(len(self._rest) * runtime().settings.sweep_seconds / FULL_ROUND_SECONDS)
        if not self._rest:
            return []
        taken, self._rest = self._rest[: self._slice], self._rest[self._slice :]
        return taken


def _is_open(tenant: Tenant) -> bool:
    return tenant.state != "closed" and is_served(tenant.version)


def _report(quarantined: list[UUID], tenant_id: UUID | None) -> None:
    for job_id in quarantined:
        ref = ledger.reference(job_id)
        about = {"job": str(job_id), "tenant": str(tenant_id) if tenant_id else None, "ref": ref}
        logger.critical("job_quarantined", extra=about)
        with control_transaction():
            # For the operators' page; the log line is for an alarm.
            record_on_platform("job.quarantined", tenant_id=tenant_id, subject=ref, details={"job": str(job_id)})
