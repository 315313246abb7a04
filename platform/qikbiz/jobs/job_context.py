"""What a job's function is given: its tenant, how to show progress, and the only two ways to commit.

    def make_export(work: JobContext) -> None:
        with work.step() as session: ...                      # intermediate state, committed
        work.progress(500, 10_000, "Writing contacts")
        with work.finish(result={"export": "…"}) as session: ...   # the effect, committed together with `done`

Both commit under the claim's token: a worker that was frozen past its lease, and whose job another one has taken,
gets LeaseLost instead, and its work is rolled back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from config.fault_injection import fault
from qikbiz.jobs import ledger
from qikbiz.jobs.job_outcomes import Cancelled, LeaseLost
from qikbiz.jobs.lease_state import LeaseState
from qikbiz.jobs.ledger import Claim, LedgerModel
from qikbiz.jobs.models import Job, PlatformJob
from qikbiz.kernel.actors import Actor, acting_as
from qikbiz.kernel.database import control_transaction, tenant_transaction
from tenants.context import Guest, Tenant, tenant_context

# How a job comes in that staff asked for, and whom it acts for: of the tenant, the grant and the member of staff.
# Raises NoGrant unless the grant is in force.
GuestAccess = Callable[[UUID, UUID, UUID | None], tuple[Guest, Actor]]


class JobContext:
    """One try of one job. `tenant` is None for a job of the platform."""

    def __init__(
        self,
        claimed: Claim,
        tenant: Tenant | None,
        lease: LeaseState,
        guest_access: GuestAccess,
        *,
        lease_seconds: float,
        timeout_seconds: int,
    ) -> None:
        self.claim = claimed
        self.tenant = tenant
        self.is_finished = False
        self._lease = lease
        self._guest_access = guest_access
        self._lease_seconds = lease_seconds
        self._timeout_ms = timeout_seconds * 1000

    @property
    def model(self) -> LedgerModel:
        return Job if self.tenant else PlatformJob

    @property
    def job_id(self) -> UUID:
        return self.claim.job_id

    @property
    def kind(self) -> str:
        return self.claim.kind

    @property
    def arguments(self) -> dict[str, Any]:
        return self.claim.arguments

    @property
    def attempt(self) -> int:
        """1 for the first try."""
        return self.claim.attempt

    @property
    def created_by(self) -> UUID | None:
        return self.claim.created_by

    @contextmanager
    def as_asker(self) -> Iterator[None]:
        """Work by the rights of the user who asked for the job: for staff, by the role of the customer's grant.

        Raises NoGrant when the grant has ended, also when the database was the first to say so.
        """
        if self.tenant is None or self.claim.grant_id is None:
            yield
            return
        asked = (self.tenant.id, self.claim.grant_id, self.created_by)
        guest, actor = self._guest_access(*asked)
        try:
            with acting_as(actor), tenant_context(self.tenant, guest=guest):
                yield
        except (SQLAlchemyError, psycopg.Error):
            self._guest_access(*asked)
            raise

    def progress(self, done: int, total: int | None = None, note: str = "") -> None:
        """Show how far the job is. Cheap: call it as often as you like. Raises LeaseLost and Cancelled."""
        self._lease.progress = (done, total, note)
        self.check()

    def interrupt_when_lost(self, connection: psycopg.Connection) -> None:
        """Have the statement that runs on `connection` stopped as soon as the job is cancelled or another worker's."""
        self._lease.interrupt = connection.cancel

    def check(self) -> None:
        """Raise LeaseLost or Cancelled when the job is no longer ours, as far as the last heartbeat knows."""
        if self._lease.is_cancelled:
            raise Cancelled
        if self._lease.is_lost:
            raise LeaseLost

    @contextmanager
    def step(self, **entry: object) -> Iterator[Session]:
        """One transaction of intermediate state, committed only while the job is ours."""
        self.check()
        with self._transaction(**entry) as session:
            yield session
            fault("job.before_step")
            # Last, since the row stays locked from here to the commit and the heartbeat would wait for it.
            if not ledger.holds(session, self.model, self.claim, self._lease_seconds):
                raise LeaseLost

    @contextmanager
    def finish(self, result: dict[str, Any] | None = None, **entry: Any) -> Iterator[Session]:
        """The effect and `done`, committed together. `result` (ids and numbers only) is read at the end."""
        outcome = {} if result is None else result
        self.check()
        try:
            with self._transaction(**entry) as session:
                yield session
                fault("job.before_finish")
                shown = self._lease.progress_values()
                if not ledger.finish(session, self.model, self.claim, outcome, **shown):
                    raise LeaseLost
        except (SQLAlchemyError, psycopg.Error):
            # A statement that was interrupted because the job is no longer ours is not a failure.
            self.check()
            raise
        finally:
            self._lease.interrupt = None
        self.is_finished = True
        fault("job.after_finish")

    def _transaction(self, **entry: object) -> AbstractContextManager[Session]:
        if self.tenant is None:
            return control_transaction()
        limits = {"statement_timeout_ms": self._timeout_ms, "lock_timeout_ms": 30_000}
        return tenant_transaction(self.tenant, **(limits | entry))
