"""A job's life in the ledger: asked for, done once, repeated, refused, given up, cancelled."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text, update

from qikbiz.jobs import actions, ledger
from qikbiz.jobs.models import Job, PlatformJob
from qikbiz.kernel.database import control_transaction, tenant_transaction
from qikbiz.messaging.mail.models import Mail
from tenants.context import NoTenantEntered
from tenants.runtime import Runtime
from tests.fixtures.world import World
from workers import run_job

pytestmark = pytest.mark.usefixtures("working", "settled")


@pytest.fixture
def settled(world: World, working: Runtime) -> Iterator[None]:
    """No job of one test is due in the next."""
    yield
    for tenant in (world.acme.tenant, world.globex.tenant):
        with tenant_transaction(tenant) as session:
            session.execute(text("DELETE FROM jobs"))
    with control_transaction() as session:
        session.execute(text("DELETE FROM platform_jobs"))
        session.execute(text("DELETE FROM pending_work"))


def ask(world: World, kind: str = "test.leave_effect", **arguments: object) -> UUID:
    with tenant_transaction(world.acme.tenant):
        return actions.enqueue(kind, dict(arguments)).id


def row(world: World, job_id: UUID) -> Job:
    with tenant_transaction(world.acme.tenant) as session:
        return session.scalars(select(Job).where(Job.id == job_id)).one()


def effects(world: World, job_id: UUID) -> int:
    with tenant_transaction(world.acme.tenant) as session:
        return session.scalar(select(func.count()).where(Mail.template == str(job_id))) or 0


def test_a_job_is_done_and_its_effect_is_there(world: World) -> None:
    job_id = ask(world)
    assert run_job.perform(world.acme.tenant.id, job_id) == "done"
    job = row(world, job_id)
    assert (job.state, job.attempt, job.result["attempt"], job.token) == ("done", 1, 1, None)
    assert job.finished_at is not None
    assert effects(world, job_id) == 1


def test_a_job_of_the_platform_is_done_in_the_control_database(world: World) -> None:
    with control_transaction():
        job_id = actions.enqueue_platform("test.platform", {}).id
    assert run_job.perform(None, job_id) == "done"
    with control_transaction() as session:
        assert session.get_one(PlatformJob, job_id).state == "done"


def test_a_done_job_that_comes_again_does_nothing(world: World) -> None:
    job_id = ask(world)
    run_job.perform(world.acme.tenant.id, job_id)
    assert run_job.perform(world.acme.tenant.id, job_id) == "not ours"
    assert effects(world, job_id) == 1


def test_a_job_asked_for_in_work_that_fails_was_never_asked_for(world: World) -> None:
    with pytest.raises(ZeroDivisionError), tenant_transaction(world.acme.tenant):
        job_id = actions.enqueue("test.leave_effect", {}).id
        _ = 1 // 0
    with tenant_transaction(world.acme.tenant) as session:
        assert session.get(Job, job_id) is None


def test_asking_twice_with_the_same_key_gives_the_first_job(world: World) -> None:
    with tenant_transaction(world.acme.tenant):
        first = actions.enqueue("test.leave_effect", {"seconds": 0}, dedupe_key="once").id
        assert actions.enqueue("test.leave_effect", {"seconds": 9}, dedupe_key="once").id == first
    with tenant_transaction(world.acme.tenant):
        assert actions.enqueue("test.leave_effect", {}, dedupe_key="once").id == first
    with tenant_transaction(world.globex.tenant):
        assert actions.enqueue("test.leave_effect", {}, dedupe_key="once").id != first


def test_a_job_needs_a_tenant_and_a_known_kind(world: World) -> None:
    with pytest.raises(NoTenantEntered):
        actions.enqueue("test.leave_effect", {})
    with tenant_transaction(world.acme.tenant), pytest.raises(KeyError):
        actions.enqueue("os.system", {})
    with tenant_transaction(world.acme.tenant), pytest.raises(KeyError):
        actions.enqueue("test.platform", {})
    with control_transaction(), pytest.raises(KeyError):
        actions.enqueue_platform("test.leave_effect", {})


def test_a_job_for_later_waits_for_its_time(world: World) -> None:
    with tenant_transaction(world.acme.tenant):
        job_id = actions.enqueue("test.leave_effect", {}, run_at=datetime.now(UTC) + timedelta(hours=1)).id
    assert run_job.perform(world.acme.tenant.id, job_id) == "not ours"
    assert row(world, job_id).state == "pending"


def test_asking_leaves_a_mark_for_the_sweeper(world: World) -> None:
    ask(world)
    with control_transaction() as session:
        assert session.scalars(text("SELECT tenant_id FROM pending_work")).all() == [world.acme.tenant.id]


def test_a_failed_try_is_put_off_and_the_next_one_succeeds(world: World) -> None:
    job_id = ask(world, "test.stumble", good_try=2)
    assert run_job.perform(world.acme.tenant.id, job_id) == "put off"
    job = row(world, job_id)
    assert job.state == "pending"
    assert job.run_at > datetime.now(UTC)
    assert job.error_ref.startswith("J-")
    assert "secret" not in job.error_text
    hurry(world, job_id)
    assert run_job.perform(world.acme.tenant.id, job_id) == "done"
    assert effects(world, job_id) == 1
    assert row(world, job_id).error_ref == ""


def test_a_job_that_always_fails_is_given_up_with_a_reference(world: World) -> None:
    job_id = ask(world, "test.stumble", good_try=99)
    outcomes = []
    for _ in range(4):
        outcomes.append(run_job.perform(world.acme.tenant.id, job_id))
        hurry(world, job_id)
    assert outcomes == ["put off", "put off", "failed", "not ours"]
    job = row(world, job_id)
    assert (job.state, job.attempt) == ("failed", 3)
    assert job.error_ref
    assert effects(world, job_id) == 0


def test_a_refused_job_is_not_tried_again_and_says_why(world: World) -> None:
    job_id = ask(world, "test.refuse")
    assert run_job.perform(world.acme.tenant.id, job_id) == "failed"
    assert row(world, job_id).error_text == "The file is empty."


def test_a_server_that_is_away_is_a_reason_to_try_again(world: World) -> None:
    job_id = ask(world, "test.be_away")
    assert run_job.perform(world.acme.tenant.id, job_id) == "put off"
    assert row(world, job_id).error_text == "The other side is away."


def test_a_failed_job_can_be_given_new_tries(world: World) -> None:
    job_id = ask(world, "test.refuse")
    run_job.perform(world.acme.tenant.id, job_id)
    with tenant_transaction(world.acme.tenant):
        assert actions.try_again(job_id)
        assert not actions.try_again(uuid4())
    assert row(world, job_id).state == "pending"
    assert run_job.perform(world.acme.tenant.id, job_id) == "failed"


def test_a_job_cancelled_before_it_starts_does_nothing(world: World) -> None:
    job_id = ask(world)
    with tenant_transaction(world.acme.tenant):
        assert actions.cancel(job_id)
    assert run_job.perform(world.acme.tenant.id, job_id) == "not ours"
    with tenant_transaction(world.acme.tenant):
        assert not actions.cancel(job_id)


def test_a_step_is_committed_before_the_end(world: World) -> None:
    job_id = ask(world, "test.step_by_step")
    assert run_job.perform(world.acme.tenant.id, job_id) == "done"
    with tenant_transaction(world.acme.tenant) as session:
        steps = select(func.count()).where(Mail.template.like(f"{job_id}/%"))
        assert session.scalar(steps) == 3


def test_whoever_lost_the_lease_commits_nothing(world: World) -> None:
    job_id = ask(world)
    with tenant_transaction(world.acme.tenant) as session:
        sleeper = ledger.claim(session, Job, job_id, 30)
    assert sleeper is not None
    with tenant_transaction(world.acme.tenant) as session:
        session.execute(update(Job).where(Job.id == job_id).values(lease_until=func.now() - timedelta(seconds=1)))
    assert run_job.perform(world.acme.tenant.id, job_id) == "done"
    with tenant_transaction(world.acme.tenant) as session:
        assert not ledger.holds(session, Job, sleeper, 30)
        assert not ledger.finish(session, Job, sleeper, {})
        assert not ledger.give_up(session, Job, sleeper, ref="", text="")
    assert row(world, job_id).attempt == 2


def test_a_job_held_by_another_worker_is_left_to_it(world: World) -> None:
    job_id = ask(world)
    with tenant_transaction(world.acme.tenant) as session:
        ledger.claim(session, Job, job_id, 30)
    assert run_job.perform(world.acme.tenant.id, job_id) == "not ours"


def test_a_job_of_an_unknown_kind_waits_for_a_release_that_knows_it(world: World) -> None:
    job_id = ask(world)
    with tenant_transaction(world.acme.tenant) as session:
        session.execute(update(Job).where(Job.id == job_id).values(kind="deals.forecast"))
    assert run_job.perform(world.acme.tenant.id, job_id) == "unknown"
    assert row(world, job_id).state == "pending"
    assert row(world, job_id).attempt == 0


def test_a_job_of_a_tenant_that_does_not_exist_is_left(world: World) -> None:
    assert run_job.perform(uuid4(), uuid4()) == "left"


def hurry(world: World, job_id: UUID) -> None:
    with tenant_transaction(world.acme.tenant) as session:
        session.execute(update(Job).where(Job.id == job_id, Job.state == "pending").values(run_at=func.now()))
