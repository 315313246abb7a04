"""Workers, work-horse processes and servers are really killed, frozen and wiped; each job has exactly one effect.

The servers are this file's own, since they die.
"""

import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psutil
import pytest
import redis
from sqlalchemy import func, select

from config.settings import Settings
from provisioning.application import working_application
from provisioning.bootstrap import prepare_servers
from provisioning.create import create_tenant
from qikbiz.jobs import actions, ledger, transport
from qikbiz.jobs.ledger import Due
from qikbiz.jobs.models import Job, PlatformJob
from qikbiz.kernel.database import control_transaction, runtime, tenant_transaction
from qikbiz.messaging.mail.models import Mail
from tenants.context import Tenant
from tests.fixtures.servers import Servers, servers_at, settings_for, throw_away_home
from tests.fixtures.workers import Starter, WorkerHarness, eventually, job_processes

pytestmark = pytest.mark.faults


@dataclass
class Place:
    """Servers, one tenant, and the processes on them."""

    servers: Servers
    settings: Settings
    acme: Tenant
    harness: WorkerHarness

    def ask(self, kind: str = "test.leave_effect", **arguments: object) -> UUID:
        with tenant_transaction(self.acme):
            return actions.enqueue(kind, dict(arguments)).id

    def job(self, job_id: UUID) -> Job:
        with tenant_transaction(self.acme) as session:
            return session.scalars(select(Job).where(Job.id == job_id)).one()

    def state(self, job_id: UUID) -> str:
        return self.job(job_id).state

    def effects(self, job_id: UUID) -> int:
        with tenant_transaction(self.acme) as session:
            return session.scalar(select(func.count()).where(Mail.template == str(job_id))) or 0

    def redis(self) -> redis.Redis:
        return redis.Redis.from_url(self.settings.redis_url)

    def waiting(self) -> int:
        return int(self.redis().llen("rq:queue:checks"))

    def is_done_once(self, job_id: UUID, *, attempt: int, seconds: float = 15) -> None:
        eventually(lambda: self.state(job_id) == "done", seconds)
        assert (self.job(job_id).attempt, self.effects(job_id)) == (attempt, 1)

    def is_running(self, job_id: UUID) -> None:
        eventually(lambda: self.state(job_id) == "running")


@pytest.fixture(scope="module")
def mortal(request: pytest.FixtureRequest) -> Iterator[tuple[Servers, Settings]]:
    home = throw_away_home("-faults")
    servers = servers_at(home)
    servers.start()
    settings = settings_for(home)
    prepare_servers(settings)
    create_tenant(settings, "acme", "Acme Industrial", "office@acme.example.com")
    yield servers, settings
    servers.discard()


@pytest.fixture
def place(mortal: tuple[Servers, Settings], starter: Starter) -> Iterator[Place]:
    servers, settings = mortal
    with working_application(settings) as runtime:
        runtime.directory.ensure_fresh()
        acme = runtime.directory.tenant_by_slug("acme")
        assert acme is not None
        harness = WorkerHarness(servers.home, starter)
        yield Place(servers, settings, acme, harness)
        harness.end()


def test_a_killed_job_process_is_followed_by_another(place: Place) -> None:
    place.harness.sweeper()
    worker = place.harness.worker("checks")
    job_id = place.ask(seconds=1.5)
    place.is_running(job_id)
    job_processes(worker)[0].kill()
    place.is_done_once(job_id, attempt=2)


def test_a_job_process_dies_with_its_worker_and_another_worker_takes_over(place: Place) -> None:
    place.harness.sweeper()
    worker = place.harness.worker("checks")
    job_id = place.ask(seconds=1.5)
    place.is_running(job_id)
    job_process = job_processes(worker)[0]
    worker.kill()
    worker.wait()
    eventually(lambda: not job_process.is_running(), 2)
    place.harness.worker("checks")
    place.is_done_once(job_id, attempt=2)


def test_a_second_delivery_while_the_first_runs_does_nothing(place: Place) -> None:
    """Two workers, the same job three times in Redis."""
    place.harness.worker("checks")
    place.harness.worker("checks")
    job_id = place.ask(seconds=1)
    place.is_running(job_id)
    for _ in range(2):
        assert transport.announce(place.acme.id, Due(job_id, "test.leave_effect", "checks", 0))
    place.is_done_once(job_id, attempt=1)
    time.sleep(0.5)
    assert place.effects(job_id) == 1


def test_a_worker_that_dies_between_pop_and_claim_loses_nothing(place: Place) -> None:
    """The job is then in no list."""
    place.harness.sweeper()
    place.harness.worker("checks", QIKBIZ_FAULT="job.before_claim=kill")
    job_id = place.ask()
    eventually(lambda: place.waiting() == 0)
    time.sleep(0.5)
    assert place.state(job_id) == "pending"
    place.harness.end()
    place.harness.worker("checks")
    place.harness.sweeper()
    place.is_done_once(job_id, attempt=1)


def test_a_worker_killed_right_after_its_pop_loses_nothing(place: Place, tmp_path: Path) -> None:
    """The other worker need not wait for RQ's own cleaning."""
    place.harness.sweeper()
    worker = place.harness.worker("checks", QIKBIZ_FAULT="worker.after_pop=kill")
    job_id = place.ask()
    assert worker.wait(10) == -signal.SIGKILL
    place.harness.worker("checks")
    place.is_done_once(job_id, attempt=1)


@pytest.mark.parametrize(
    ("point", "attempt"),
    [("job.after_claim", 2), ("job.before_finish", 2), ("job.after_finish", 1)],
)
def test_a_job_process_that_dies_at_any_point_leaves_one_effect(
    place: Place, tmp_path: Path, point: str, attempt: int
) -> None:
    place.harness.sweeper()
    place.harness.worker("checks", QIKBIZ_FAULT=f"{point}=kill@1", QIKBIZ_FAULT_DIR=str(tmp_path))
    job_id = place.ask()
    place.is_done_once(job_id, attempt=attempt)


def test_a_job_process_frozen_past_its_lease_commits_nothing_when_it_wakes(place: Place) -> None:
    place.harness.sweeper()
    sleeper = place.harness.worker("checks")
    job_id = place.ask("test.never_look", seconds=1)
    place.is_running(job_id)
    job_process = job_processes(sleeper)[0]
    job_process.suspend()
    sleeper.send_signal(signal.SIGSTOP)
    place.harness.worker("checks")
    place.is_done_once(job_id, attempt=2)
    job_process.resume()
    sleeper.send_signal(signal.SIGCONT)
    eventually(lambda: not job_process.is_running() or job_process.status() == psutil.STATUS_ZOMBIE)
    assert (place.state(job_id), place.effects(job_id)) == ("done", 1)
    # Either the process finds its claim gone, or its worker ends it first.
    said = place.harness.log(sleeper)
    assert "LeaseLost" in said or "killed a work-horse whose lease ran out" in said


def test_redis_wiped_with_jobs_in_it_loses_none(place: Place) -> None:
    job_ids = [place.ask() for _ in range(5)]
    place.redis().flushall()
    place.harness.sweeper()
    place.harness.worker("checks")
    for job_id in job_ids:
        place.is_done_once(job_id, attempt=1)


def test_redis_restored_from_yesterday_runs_nothing_again(place: Place) -> None:
    """Old announcements come back; their rows are done."""
    worker = place.harness.worker("checks")
    job_id = place.ask()
    place.is_done_once(job_id, attempt=1)
    assert transport.announce(place.acme.id, Due(job_id, "test.leave_effect", "checks", 0))
    eventually(lambda: place.waiting() == 0)
    eventually(lambda: not job_processes(worker))
    assert place.effects(job_id) == 1


def test_redis_killed_while_a_job_runs_costs_neither_job_nor_worker(place: Place) -> None:
    """Redis dies, the job ends meanwhile, Redis comes back."""
    worker = place.harness.worker("checks")
    job_id = place.ask(seconds=1)
    place.is_running(job_id)
    place.servers.valkey.kill()
    try:
        place.is_done_once(job_id, attempt=1)
        late = place.ask()
        assert place.state(late) == "pending"
    finally:
        place.servers.valkey.start()
    place.harness.sweeper()
    place.is_done_once(late, attempt=1, seconds=25)
    assert worker.poll() is None


def test_redis_away_when_a_job_is_asked_for_delays_it_only(place: Place) -> None:
    """The idle worker waits, the person is not shown an error."""
    worker = place.harness.worker("checks")
    eventually(lambda: place.redis().keys("rq:worker:*"))
    place.servers.valkey.kill()
    try:
        job_id = place.ask()
    finally:
        place.servers.valkey.start()
    place.harness.sweeper()
    place.is_done_once(job_id, attempt=1, seconds=25)
    assert worker.poll() is None


def test_postgres_restarted_while_a_job_runs_costs_only_time(place: Place) -> None:
    place.harness.sweeper()
    place.harness.worker("checks")
    job_id = place.ask(seconds=2)
    place.is_running(job_id)
    place.servers.postgres.kill()
    place.servers.postgres.start()
    runtime().cells.dispose()
    runtime().control.dispose()
    place.is_done_once(job_id, attempt=1, seconds=25)


def test_redis_full_makes_a_job_wait_and_says_so(place: Place) -> None:
    client = place.redis()
    client.config_set("maxmemory", 1)
    try:
        job_id = place.ask()
    finally:
        client.config_set("maxmemory", 0)
    assert place.waiting() == 0
    place.harness.sweeper()
    place.harness.worker("checks")
    place.is_done_once(job_id, attempt=1)


def test_a_job_that_kills_its_worker_each_time_is_set_aside(place: Place) -> None:
    """And the jobs behind it are done."""
    place.harness.sweeper()
    place.harness.worker("checks", QIKBIZ_JOB_LEASE_SECONDS="1")
    poison, honest = place.ask("test.kill_me"), place.ask()
    place.is_done_once(honest, attempt=1)
    eventually(lambda: place.state(poison) == "quarantined", 25)
    assert place.job(poison).attempt == 2
    assert place.job(poison).error_ref == ledger.reference(poison)
    assert place.effects(poison) == 0


def test_a_job_that_takes_too_long_is_stopped_and_given_up(place: Place) -> None:
    place.harness.sweeper()
    place.harness.worker("checks")
    job_id = place.ask("test.overrun")
    eventually(lambda: place.state(job_id) == "failed")
    assert place.job(job_id).error_text == "It took longer than a job may take."


def test_a_job_cancelled_stops_at_its_next_progress(place: Place) -> None:
    place.harness.worker("checks")
    job_id = place.ask(seconds=20)
    place.is_running(job_id)
    eventually(lambda: place.job(job_id).progress_note == "Working")
    with tenant_transaction(place.acme):
        assert actions.cancel(job_id)
    next_one = place.ask()
    place.is_done_once(next_one, attempt=1)
    assert (place.state(job_id), place.effects(job_id)) == ("cancelled", 0)


def test_one_sigterm_lets_the_job_finish_and_ends_the_worker(place: Place) -> None:
    worker = place.harness.worker("checks")
    job_id = place.ask(seconds=1)
    place.is_running(job_id)
    worker.terminate()
    place.is_done_once(job_id, attempt=1)
    assert worker.wait(5) == 0


def test_a_second_sigterm_costs_a_try_but_no_job(place: Place) -> None:
    place.harness.sweeper()
    worker = place.harness.worker("checks")
    job_id = place.ask(seconds=2.5)
    place.is_running(job_id)
    worker.terminate()
    time.sleep(1.2)
    worker.terminate()
    worker.wait(5)
    place.harness.worker("checks")
    place.is_done_once(job_id, attempt=2, seconds=20)


def test_of_two_sweepers_one_works_and_the_other_takes_over(place: Place) -> None:
    first, second = place.harness.sweeper(), place.harness.sweeper()
    eventually(lambda: sweeper_pid(place))
    active = sweeper_pid(place)
    new_owner = second if active == first.pid else first
    (first if active == first.pid else second).kill()
    eventually(lambda: sweeper_pid(place) == new_owner.pid)


def test_a_job_of_the_platform_survives_the_same(place: Place) -> None:
    place.harness.sweeper()
    with control_transaction():
        job_id = actions.enqueue_platform("test.platform", {}).id
    place.redis().flushall()
    place.harness.worker("checks")

    def state() -> str:
        with control_transaction() as session:
            return session.get_one(PlatformJob, job_id).state

    eventually(lambda: state() == "done")


def sweeper_pid(place: Place) -> int:
    return int(place.redis().hget("qb:p:sweeper", "pid") or 0)
