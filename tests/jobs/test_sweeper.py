"""The sweeper finds what is due by marks, forgets no tenant, and starts periodic work once."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import redis
from flask import current_app
from sqlalchemy import func, select, text, update

from qikbiz.jobs import actions, queries, transport
from qikbiz.jobs import jobs as retention
from qikbiz.jobs.models import Job, PlatformJob, ScheduleRun
from qikbiz.kernel.database import control_transaction, tenant_transaction
from qikbiz.kernel.job_kinds import Periodic
from tenants.context import Tenant
from tenants.control import PendingWork, TenantRecord
from tenants.runtime import Runtime
from tests.fixtures.world import World
from workers import sweep_round as sweeping
from workers.run_job import perform
from workers.schedule import start_due_work
from workers.sweep_round import Sweep
from workers.sweeper import Sweeper

HOURLY = Periodic("test", "tenants.measure", timedelta(hours=1))
pytestmark = pytest.mark.usefixtures("quiet")


@pytest.fixture
def quiet(world: World, working: Runtime) -> Iterator[None]:
    """Empty ledgers, queues and schedules before and after."""
    _empty(world)
    yield
    _empty(world)


@pytest.fixture
def sweep() -> Sweep:
    """A sweep that has just been through all tenants, so that only marks lead it to one."""
    fresh = Sweep()
    fresh._rest_began = time.monotonic()
    return fresh


def ask(tenant: Tenant, run_at: datetime | None = None) -> UUID:
    with tenant_transaction(tenant):
        return actions.enqueue("test.leave_effect", {}, run_at=run_at).id


def marks() -> dict[UUID, datetime]:
    with control_transaction() as session:
        return {mark.tenant_id: mark.due_at for mark in session.scalars(select(PendingWork))}


def age_marks() -> None:
    with control_transaction() as session:
        session.execute(update(PendingWork).values(marked_at=func.now() - timedelta(minutes=2)))


def in_queue(world: World) -> int:
    return int(redis.Redis.from_url(world.settings.redis_url).llen("rq:queue:checks"))


def test_a_job_that_redis_lost_is_announced_again_once(world: World, sweep: Sweep) -> None:
    ask(world.acme.tenant)
    assert in_queue(world) == 1
    assert sweep.round() == 0
    redis.Redis.from_url(world.settings.redis_url).flushall()
    assert sweep.round() == 1
    assert sweep.round() == 0
    assert in_queue(world) == 1


def test_a_mark_goes_when_nothing_is_left_and_not_before_its_commit_could_have_come(world: World, sweep: Sweep) -> None:
    perform(world.acme.tenant.id, ask(world.acme.tenant))
    sweep.round()
    assert world.acme.tenant.id in marks()
    age_marks()
    sweep.round()
    assert world.acme.tenant.id not in marks()


def test_a_mark_set_again_while_the_sweeper_looks_stays(
    world: World, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    actions.mark_pending(world.acme.tenant.id, datetime.now(UTC))
    age_marks()
    look = sweep._look

    def look_while_somebody_asks(tenant_id: UUID) -> tuple[int, datetime | None]:
        found = look(tenant_id)
        actions.mark_pending(tenant_id, datetime.now(UTC))
        return found

    monkeypatch.setattr(sweep, "_look", look_while_somebody_asks)
    sweep.round()
    assert world.acme.tenant.id in marks()


def test_a_job_for_later_moves_the_mark_to_its_time(world: World, sweep: Sweep) -> None:
    later = datetime.now(UTC) + timedelta(hours=3)
    ask(world.acme.tenant, later)
    assert in_queue(world) == 0
    assert marks()[world.acme.tenant.id] == later
    actions.mark_pending(world.acme.tenant.id, datetime.now(UTC))
    age_marks()
    sweep.round()
    assert marks()[world.acme.tenant.id] == later


def test_a_mark_that_was_never_written_costs_only_time(
    world: World, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(world.globex.tenant)
    with control_transaction() as session:
        session.execute(text("DELETE FROM pending_work"))
    redis.Redis.from_url(world.settings.redis_url).flushall()
    assert sweep.round() == 0
    monkeypatch.setattr(sweeping, "FULL_ROUND_SECONDS", 0.001)
    assert sweep.round() == 1
    assert sweep.round() == 0
    assert world.globex.tenant.id in marks()


def test_a_tenant_that_cant_be_served_now_keeps_its_jobs(
    world: World, fresh_tenant: Callable[..., Tenant], sweep: Sweep
) -> None:
    tenant = fresh_tenant()
    job_id = ask(tenant)
    redis.Redis.from_url(world.settings.redis_url).flushall()
    set_version(tenant, "9999")
    assert sweep.round() == 0
    assert perform(tenant.id, job_id) == "left"
    set_version(tenant, tenant.version)
    actions.mark_pending(tenant.id, datetime.now(UTC))
    assert sweep.round() >= 1
    assert perform(tenant.id, job_id) == "done"
    set_state(tenant, "closed")


def test_jobs_of_the_platform_need_no_mark(world: World, sweep: Sweep) -> None:
    with control_transaction():
        actions.enqueue_platform("test.platform", {})
    redis.Redis.from_url(world.settings.redis_url).flushall()
    assert sweep.round() == 1


def test_nothing_is_lost_while_redis_is_away(world: World, sweep: Sweep, working: Runtime) -> None:
    store = transport.queue_store()
    url, store._url, store._client = store._url, "unix:///nowhere?db=0", None
    job_id = ask(world.acme.tenant)
    assert sweep.round() == 0
    store._url, store._client, store._rest_until = url, None, 0.0
    assert sweep.round() == 1
    assert perform(world.acme.tenant.id, job_id) == "done"


def test_a_round_shows_when_it_was(world: World) -> None:
    sweeper = Sweeper(current_app._get_current_object())  # type: ignore[attr-defined]  # a proxy of the application
    assert sweeper.round()
    shown = redis.Redis.from_url(world.settings.redis_url).hget("qb:p:sweeper", "at")
    assert abs(datetime.now(UTC).timestamp() - int(shown or 0)) < 10
    assert not Sweeper(current_app._get_current_object()).round()  # type: ignore[attr-defined]
    assert sweeper._lock is not None
    sweeper._lock.close()


def test_periodic_work_is_started_once_for_each_due_time() -> None:
    morning = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    assert start_due_work(morning, (HOURLY,)) == 1
    assert start_due_work(morning, (HOURLY,)) == 0
    assert start_due_work(morning + timedelta(minutes=29), (HOURLY,)) == 0
    # The clocks of half the world change in this hour; UTC does not.
    assert start_due_work(morning + timedelta(hours=1), (HOURLY,)) == 1
    assert start_due_work(morning + timedelta(days=9), (HOURLY,)) == 1
    with control_transaction() as session:
        jobs = session.scalars(select(PlatformJob.dedupe_key)).all()
        runs = session.scalars(select(ScheduleRun.job_id)).all()
    assert len(set(jobs)) == len(jobs) == len(runs) == 3


def test_a_clock_that_goes_back_starts_nothing_twice() -> None:
    noon = datetime(2026, 5, 1, 12, tzinfo=UTC)
    assert start_due_work(noon, (HOURLY,)) == 1
    assert start_due_work(noon - timedelta(hours=2), (HOURLY,)) == 0
    assert start_due_work(noon, (HOURLY,)) == 0


def test_sweepers_that_start_the_same_work_at_once_start_it_once() -> None:
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # a proxy of the application
    noon = datetime(2026, 5, 1, 12, tzinfo=UTC)

    def start(_: int) -> int:
        with app.app_context():
            return start_due_work(noon, (HOURLY,))

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(start, range(4))) == 1


def test_work_for_each_tenant_is_asked_for_once_in_each(world: World) -> None:
    entry = Periodic("test each", "jobs.delete_old", timedelta(days=1), each_tenant=True)
    start_due_work(datetime(2026, 5, 1, tzinfo=UTC), (entry,))
    with control_transaction() as session:
        job_id = session.scalars(select(PlatformJob.id)).one()
    assert perform(None, job_id) == "done"
    for tenant in (world.acme.tenant, world.globex.tenant):
        with tenant_transaction(tenant) as session:
            job = session.scalars(select(Job).where(Job.kind == "jobs.delete_old")).one()
        assert perform(tenant.id, job.id) == "done"


def test_ended_jobs_are_forgotten_after_a_while_and_failed_ones_kept(world: World) -> None:
    long_ago = func.now() - retention.KEPT - timedelta(days=1)
    with tenant_transaction(world.acme.tenant) as session:
        for key in ("done", "failed", "young"):
            actions.enqueue("test.leave_effect", {}, dedupe_key=key)
        for state in ("done", "failed"):
            session.execute(update(Job).where(Job.dedupe_key == state).values(state=state, finished_at=long_ago))
        job_id = actions.enqueue("jobs.delete_old", {}).id
    assert perform(world.acme.tenant.id, job_id) == "done"
    with tenant_transaction(world.acme.tenant) as session:
        assert set(session.scalars(select(Job.dedupe_key)).all()) == {"failed", "young", None}


def test_progress_says_how_far_a_job_is_and_how_long_it_will_take() -> None:
    job = Job(state="running", progress_done=25, progress_total=100, progress_note="Writing", result={})
    job.started_at = datetime.now(UTC) - timedelta(seconds=10)
    job.lease_until = datetime.now(UTC) + timedelta(minutes=1)
    job.error_text = job.error_ref = ""
    shown = queries.progress_of(job)
    assert shown.percent == 25
    assert shown.rest is not None
    assert timedelta(seconds=29) < shown.rest < timedelta(seconds=32)
    job.progress_done = 100
    assert queries.progress_of(job).percent == 99
    job.state = "done"
    assert queries.progress_of(job).percent == 100
    assert queries.progress_of(job).is_over
    job.state, job.progress_total = "pending", None
    assert queries.progress_of(job).percent is None


def set_version(tenant: Tenant, version: str) -> None:
    with control_transaction() as session:
        session.execute(update(TenantRecord).where(TenantRecord.id == tenant.id).values(version=version))


def set_state(tenant: Tenant, state: str) -> None:
    with control_transaction() as session:
        session.execute(update(TenantRecord).where(TenantRecord.id == tenant.id).values(state=state))


def _empty(world: World) -> None:
    redis.Redis.from_url(world.settings.redis_url).flushall()
    for tenant in (world.acme.tenant, world.globex.tenant):
        with tenant_transaction(tenant) as session:
            session.execute(text("DELETE FROM jobs"))
    with control_transaction() as session:
        for table in ("platform_jobs", "pending_work", "schedule_runs"):
            session.execute(text(f"DELETE FROM {table}"))
