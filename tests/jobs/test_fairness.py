"""Tenants take turns: one that asks for much waits for its own work, and others do not."""

import os
import signal
from collections.abc import Iterator
from uuid import UUID

import pytest

from qikbiz.jobs import actions, queries, transport
from qikbiz.jobs.models import Job
from qikbiz.kernel.database import tenant_transaction
from tenants.context import Tenant
from tenants.runtime import Runtime
from tests.fixtures.workers import WorkerHarness, eventually, job_processes
from tests.fixtures.world import World
from tests.jobs.test_sweeper import _empty, age_marks
from workers.lanes import Lanes
from workers.run_job import perform
from workers.sweep_round import Sweep


@pytest.fixture(autouse=True)
def quiet(world: World, working: Runtime) -> Iterator[None]:
    _empty(world)
    yield
    _empty(world)


def ask(tenant: Tenant, count: int = 1, kind: str = "test.leave_effect", **arguments: object) -> list[UUID]:
    """All of them in one transaction."""
    with tenant_transaction(tenant):
        return [actions.enqueue(kind, dict(arguments)).id for _ in range(count)]


def state(tenant: Tenant, job_id: UUID) -> str:
    with tenant_transaction(tenant) as session:
        return queries.state_of(session, Job, job_id)


def line(queue: str = "checks") -> list[str]:
    """The jobs before the workers, next one first."""
    with transport.queue_store().client() as client:
        return [travel.rsplit("-", 1)[0] for travel in transport.queue_named(queue, client).get_job_ids()]


def pop() -> str:
    with transport.queue_store().client() as client:
        travel: bytes = client.lpop("rq:queue:checks")  # type: ignore[assignment]
    return travel.decode().rsplit("-", 1)[0]


def test_a_tenants_tenth_job_waits_for_anothers_first(world: World) -> None:
    many = [str(job) for job in ask(world.acme.tenant, 5) + ask(world.acme.tenant, 5)]
    few = [str(job) for job in ask(world.globex.tenant, 2)]
    assert line() == [many[0], few[0]]
    done = []
    while (waiting := line()) and len(done) < 12:
        job_id = pop()
        owner = world.acme.tenant if job_id in many else world.globex.tenant
        assert perform(owner.id, UUID(job_id)) == "done"
        done.append(job_id)
        assert len(waiting) <= 2
    assert done == [many[0], few[0], many[1], few[1], *many[2:]]


def test_the_sweeper_keeps_the_turns_and_brings_what_nobody_brought(world: World) -> None:
    many = [str(job) for job in ask(world.acme.tenant, 3)]
    with transport.queue_store().client() as client:
        client.delete("rq:queue:checks")
    age_marks()
    sweep = Sweep()
    assert sweep.round() == 1 and line() == [many[0]]
    assert sweep.round() == 0
    # Its end would bring the next one; the worker died right after it instead.
    assert perform(world.acme.tenant.id, UUID(pop())) == "done"
    assert line() == [many[1]]
    with transport.queue_store().client() as client:
        client.delete("rq:queue:checks")
    age_marks()
    assert Sweep().round() == 1 and line() == [many[1]]


@pytest.mark.faults
def test_a_frozen_work_horse_is_killed_by_its_worker_when_its_lease_is_over(
    world: World, worker_harness: WorkerHarness
) -> None:
    worker_harness.sweeper()
    worker = worker_harness.worker("checks")
    (frozen,) = ask(world.acme.tenant, seconds=2)
    eventually(lambda: job_processes(worker) and state(world.acme.tenant, frozen) == "running")
    job_process = job_processes(worker)[0]
    job_process.suspend()
    # The only worker of the queue: all jobs wait for it.
    (other,) = ask(world.globex.tenant)
    eventually(lambda: not job_process.is_running(), 20)
    eventually(lambda: state(world.globex.tenant, other) == "done", 20)
    eventually(lambda: state(world.acme.tenant, frozen) == "done", 30)
    assert "lease ran out" in worker_harness.log(worker)


@pytest.mark.faults
def test_a_short_import_does_not_wait_for_anothers_long_one(world: World, worker_harness: WorkerHarness) -> None:
    worker_harness.worker("imports")
    (long,) = ask(world.acme.tenant, kind="test.import", seconds=60)
    eventually(lambda: state(world.acme.tenant, long) == "running")
    (second,) = ask(world.acme.tenant, kind="test.import")
    (short,) = ask(world.globex.tenant, kind="test.import")
    eventually(lambda: state(world.globex.tenant, short) == "done", 20)
    assert state(world.acme.tenant, long) == "running"
    assert state(world.acme.tenant, second) == "pending", "A tenant's second one would take the place."


@pytest.mark.faults
@pytest.mark.parametrize("how", ["terminate", "kill"])
def test_a_busy_queue_gets_a_further_lane_that_ends_with_its_worker(
    world: World, worker_harness: WorkerHarness, how: str
) -> None:
    worker = worker_harness.worker("imports")
    ask(world.acme.tenant, kind="test.import", seconds=1)
    eventually(lambda: len(job_processes(worker)) == 2)
    # The process of a job leads a group of its own.
    (lane,) = [one for one in job_processes(worker) if os.getpgid(one.pid) != one.pid]
    eventually(lambda: job_processes(worker) == [lane])
    getattr(worker, how)()
    eventually(lambda: worker.poll() is not None and not lane.is_running(), 20)
    # A signal that comes before its handler is set ends the process.
    assert worker.poll() in ((0, -signal.SIGTERM) if how == "terminate" else (-signal.SIGKILL,))


def test_a_lane_that_found_nothing_to_do_is_begun_again_when_it_is_needed() -> None:
    ear, mouth = os.pipe()
    lanes = Lanes("imports", lambda: os.write(mouth, b"1") and None)
    for _ in range(2):
        lanes.open()
        assert os.read(ear, 10) == b"1"
        lanes.wait()
    os.close(ear)
    os.close(mouth)
