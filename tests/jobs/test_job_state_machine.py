"""Random histories of one job against a model: each has one effect, or none and a reason.

After Jepsen's and LazyFS's checks of one node.
"""

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import delete, func, select, update

from qikbiz.jobs import actions, ledger
from qikbiz.jobs.job_outcomes import LeaseLost
from qikbiz.jobs.ledger import Claim
from qikbiz.jobs.models import Job
from qikbiz.kernel.database import tenant_transaction
from qikbiz.messaging.mail.models import Mail
from tenants.context import Tenant
from tenants.runtime import Runtime
from tests.fixtures.world import World

MOST_TRIES = 3


class OneJob(RuleBasedStateMachine):
    """Workers are claims: each may end its work, fail, or be forgotten (killed); time is moved by hand."""

    tenant: Tenant

    def __init__(self) -> None:
        super().__init__()
        with tenant_transaction(self.tenant):
            self.job_id: UUID = actions.enqueue("test.leave_effect", {}).id
        self.claims: list[Claim] = []
        self.holder: Claim | None = None
        self.lapsed = False
        self.state = "pending"
        self.tries = 0

    @rule()
    def announce(self) -> None:
        """Any number of announcements, right or wrong, lead to a claim only when the job is free."""
        free = self.state == "pending" or (self.state == "running" and self.lapsed)
        with tenant_transaction(self.tenant) as session:
            due = self.job_id in [job.job_id for job in ledger.due_jobs(session, Job)]
            claimed = ledger.claim(session, Job, self.job_id, 60)
        expected = free and self.tries < MOST_TRIES
        assert due == expected
        assert (claimed is not None) == expected
        if claimed is not None:
            self.tries += 1
            self.state, self.holder, self.lapsed = "running", claimed, False
            self.claims.append(claimed)

    @precondition(lambda self: self.state == "running")
    @rule()
    def time_passes_without_a_heartbeat(self) -> None:
        with tenant_transaction(self.tenant) as session:
            past = func.now() - timedelta(minutes=1)
            session.execute(update(Job).where(Job.id == self.job_id).values(lease_until=past))
        self.lapsed = True

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def a_worker_beats(self, data: st.DataObject) -> None:
        worker = data.draw(st.sampled_from(self.claims))
        with tenant_transaction(self.tenant) as session:
            held = ledger.holds(session, Job, worker, 60)
        assert held == self.is_held_by(worker)
        self.lapsed = self.lapsed and not held

    @precondition(lambda self: self.claims)
    @rule(data=st.data())
    def a_worker_ends_its_work(self, data: st.DataObject) -> None:
        worker = data.draw(st.sampled_from(self.claims))
        may = self.is_held_by(worker)
        with nullcontext() if may else pytest.raises(LeaseLost), tenant_transaction(self.tenant) as session:
            session.add(
                Mail(dedupe_key=str(uuid4()), category="test", template=str(self.job_id), to_address="x@example.com")
            )
            if not ledger.finish(session, Job, worker, {}):
                raise LeaseLost
        if may:
            self.state, self.holder = "done", None

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), for_good=st.booleans())
    def a_worker_fails(self, data: st.DataObject, for_good: bool) -> None:
        worker = data.draw(st.sampled_from(self.claims))
        with tenant_transaction(self.tenant) as session:
            if for_good:
                noted = ledger.give_up(session, Job, worker, ref="J-1", text="")
            else:
                noted = ledger.reschedule(session, Job, worker, until=timedelta(0), ref="J-1", text="")
        assert noted == self.is_held_by(worker)
        if noted:
            self.state, self.holder = "failed" if for_good else "pending", None

    @rule()
    def the_sweeper_sets_aside_what_kills_workers(self) -> None:
        with tenant_transaction(self.tenant) as session:
            lost = ledger.quarantine_lost(session, Job)
        expected = self.state == "running" and self.lapsed and self.tries >= MOST_TRIES
        assert (self.job_id in lost) == expected
        if expected:
            self.state, self.holder = "quarantined", None

    @invariant()
    def one_effect_when_done_and_none_before(self) -> None:
        with tenant_transaction(self.tenant) as session:
            state = session.scalar(select(Job.state).where(Job.id == self.job_id))
            effects = session.scalar(select(func.count()).where(Mail.template == str(self.job_id)))
        assert state == self.state
        assert effects == (1 if self.state == "done" else 0)

    def is_held_by(self, worker: Claim) -> bool:
        return self.state == "running" and self.holder == worker

    def teardown(self) -> None:
        with tenant_transaction(self.tenant) as session:
            session.execute(delete(Mail).where(Mail.template == str(self.job_id)))
            session.execute(delete(Job).where(Job.id == self.job_id))


@pytest.fixture
def histories(world: World, working: Runtime) -> Iterator[type[OneJob]]:
    OneJob.tenant = world.acme.tenant
    yield OneJob


def test_every_history_of_a_job_ends_with_at_most_one_effect(histories: type[OneJob]) -> None:
    few = settings(max_examples=15, stateful_step_count=16, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(histories, settings=few)
