"""The product's own jobs: making tenants, deleting old sessions, invalidating what Redis holds."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text

from qikbiz.console.tenant_actions import reserve_tenant
from qikbiz.identity.accounts.models import User, UserSession, UserToken
from qikbiz.jobs.actions import enqueue, enqueue_platform
from qikbiz.jobs.models import PlatformJob
from qikbiz.kernel.database import control_transaction, tenant_transaction
from tenants.control import TenantRecord
from tenants.directory import read_tenant
from tenants.runtime import Runtime
from tests.fixtures.workers import WorkerHarness, eventually
from tests.fixtures.world import World
from workers.run_job import perform

pytestmark = pytest.mark.usefixtures("tidy")


@pytest.fixture
def tidy(world: World, working: Runtime) -> Iterator[None]:
    yield
    with tenant_transaction(world.acme.tenant) as session:
        session.execute(text("DELETE FROM jobs"))
    with control_transaction() as session:
        session.execute(text("DELETE FROM platform_jobs"))
        session.execute(text("DELETE FROM pending_work"))


def ask_for_tenant(slug: str) -> UUID:
    with control_transaction() as session:
        reserve_tenant(session, slug, slug.title(), f"office@{slug}.example.com")
        return enqueue_platform("tenants.create", {"slug": slug}).id


def tenant_state(slug: str) -> str | None:
    with control_transaction() as session:
        return session.scalar(select(TenantRecord.state).where(TenantRecord.slug == slug))


def job_state(job_id: UUID) -> str:
    with control_transaction() as session:
        return session.get_one(PlatformJob, job_id).state


def administrators(world: World, slug: str) -> int:
    with control_transaction() as session:
        tenant_id = session.scalars(select(TenantRecord.id).where(TenantRecord.slug == slug)).one()
        tenant = read_tenant(session, tenant_id, world.settings.base_domain)
    assert tenant is not None
    with tenant_transaction(tenant) as session:
        return session.scalar(select(func.count()).select_from(User)) or 0


def test_a_tenant_asked_for_at_the_console_is_made_by_the_worker(world: World) -> None:
    job_id = ask_for_tenant("umbrella")
    assert perform(None, job_id) == "done"
    assert tenant_state("umbrella") == "active"
    assert administrators(world, "umbrella") == 1


def test_a_tenant_nobody_reserved_is_refused() -> None:
    with control_transaction():
        job_id = enqueue_platform("tenants.create", {"slug": "nobody-asked"}).id
    assert perform(None, job_id) == "failed"
    assert tenant_state("nobody-asked") is None


@pytest.mark.faults
@pytest.mark.parametrize("point", ["schema_made", "invited"])
def test_a_worker_killed_while_making_a_tenant_is_followed_by_one_that_finishes(
    world: World, worker_harness: WorkerHarness, tmp_path: Path, point: str
) -> None:
    worker_harness.sweeper()
    given = {"QIKBIZ_FAULT": f"tenant.create.{point}=kill@1", "QIKBIZ_FAULT_DIR": str(tmp_path)}
    worker_harness.worker("provisioning", **given)
    slug = f"hooli-{point.replace('_', '-')}"
    job_id = ask_for_tenant(slug)
    eventually(lambda: job_state(job_id) == "done", 60)
    assert tenant_state(slug) == "active"
    assert administrators(world, slug) == 1


def test_measuring_and_erasing_run_as_jobs(world: World) -> None:
    with control_transaction():
        jobs = [enqueue_platform(kind, {}).id for kind in ("tenants.measure", "tenants.erase")]
    assert [perform(None, job_id) for job_id in jobs] == ["done", "done"]
    with control_transaction() as session:
        record = session.get_one(TenantRecord, world.acme.tenant.id)
    assert record.users >= 3
    assert record.measured_at is not None


def test_old_sessions_and_links_are_forgotten_and_current_ones_kept(world: World) -> None:
    now = datetime.now(UTC)
    old, new = now - timedelta(days=40), now + timedelta(days=1)
    with tenant_transaction(world.acme.tenant) as session:
        for name, ends in ((b"old-session", old), (b"new-session", new)):
            times = {"idle_until": ends, "ends_at": ends}
            session.add(
                UserSession(id_hash=name, person_id=uuid4(), person_epoch=1, tenant_epoch=1, method="password", **times)
            )
        for name, ends in ((b"old-link", old), (b"new-link", new)):
            session.add(UserToken(token_hash=name, person_id=uuid4(), purpose="invitation", expires_at=ends))
        job_id = enqueue("sessions.delete_old", {}).id
    assert perform(world.acme.tenant.id, job_id) == "done"
    with tenant_transaction(world.acme.tenant) as session:
        assert session.get(UserSession, b"old-session") is None
        assert session.get(UserToken, b"old-link") is None
        session.delete(session.get_one(UserSession, b"new-session"))
        session.delete(session.get_one(UserToken, b"new-link"))


def test_redis_is_told_later_whose_sessions_to_doubt(world: World, working: Runtime) -> None:
    person = world.bob.id
    with tenant_transaction(world.acme.tenant):
        job_id = enqueue("sessions.invalidate", {"people": [str(person)]}).id
    store = working.redis
    store._rest_until = float("inf")
    assert perform(world.acme.tenant.id, job_id) == "put off"
    store._rest_until = 0.0
    with tenant_transaction(world.acme.tenant) as session:
        session.execute(text("UPDATE jobs SET run_at = now()"))
    assert perform(world.acme.tenant.id, job_id) == "done"
    with store.client() as client:
        assert client.keys(store.tenant_key(world.acme.tenant.id, "*stamp*"))
