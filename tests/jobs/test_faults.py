"""Workers, horses and servers are really killed, frozen and wiped; each time exactly one effect is seen.

The rows of security.md 2.2 and 6 that each test covers are named. The servers are this file's own, since they die.
"""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
import redis
from sqlalchemy import func, select

from config.settings import Settings
from provisioning.application import working_application
from provisioning.bootstrap import prepare_servers
from provisioning.create import create_tenant
from qikbiz.database import tenant_work
from qikbiz.jobs import actions
from qikbiz.jobs.models import Job
from qikbiz.mail.models import Mail
from tenants.context import Tenant
from tests.fixtures.servers import Servers, servers_at, settings_for
from tests.fixtures.workers import Workshop, eventually, horses
from tests.jobs import functions

assert functions.KINDS
pytestmark = pytest.mark.faults


@dataclass
class Place:
    """Servers, one tenant, and the processes on them."""

    servers: Servers
    settings: Settings
    acme: Tenant
    shop: Workshop

    def ask(self, kind: str = "test.leave_effect", **arguments: object) -> UUID:
        with tenant_work(self.acme):
            return actions.enqueue(kind, dict(arguments)).id

    def job(self, job_id: UUID) -> Job:
        with tenant_work(self.acme) as session:
            return session.scalars(select(Job).where(Job.id == job_id)).one()

    def state(self, job_id: UUID) -> str:
        return self.job(job_id).state

    def effects(self, job_id: UUID) -> int:
        with tenant_work(self.acme) as session:
            return session.scalar(select(func.count()).where(Mail.template == str(job_id))) or 0

    def redis(self) -> redis.Redis:
        return redis.Redis.from_url(self.settings.redis_url)

    def is_done_once(self, job_id: UUID, *, attempt: int, seconds: float = 15) -> None:
        eventually(lambda: self.state(job_id) == "done", seconds)
        assert (self.job(job_id).attempt, self.effects(job_id)) == (attempt, 1)

    def is_running(self, job_id: UUID) -> None:
        eventually(lambda: self.state(job_id) == "running")


@pytest.fixture(scope="module")
def mortal(request: pytest.FixtureRequest) -> Iterator[tuple[Servers, Settings]]:
    home = Path(tempfile.gettempdir()) / f"qikbiz-tests-{os.getpid()}-faults"
    servers = servers_at(home)
    servers.start()
    settings = settings_for(home)
    prepare_servers(settings)
    create_tenant(settings, "acme", "Acme Industrial", "office@acme.example.com")
    yield servers, settings
    servers.discard()


@pytest.fixture
def place(mortal: tuple[Servers, Settings]) -> Iterator[Place]:
    servers, settings = mortal
    with working_application(settings) as runtime:
        runtime.directory.ensure_fresh()
        acme = runtime.directory.tenant_by_slug("acme")
        assert acme is not None
        shop = Workshop(servers.home)
        yield Place(servers, settings, acme, shop)
        shop.end()


def test_a_killed_horse_is_followed_by_another(place: Place) -> None:
    """Row 1."""
    place.shop.sweeper()
    worker = place.shop.worker("checks")
    job_id = place.ask(seconds=1.5)
    place.is_running(job_id)
    horses(worker)[0].kill()
    place.is_done_once(job_id, attempt=2)


def test_a_horse_dies_with_its_worker_and_another_worker_takes_over(place: Place) -> None:
    """Rows 2 and 3."""
    place.shop.sweeper()
    worker = place.shop.worker("checks")
    job_id = place.ask(seconds=1.5)
    place.is_running(job_id)
    horse = horses(worker)[0]
    worker.kill()
    worker.wait()
    eventually(lambda: not horse.is_running(), 2)
    place.shop.worker("checks")
    place.is_done_once(job_id, attempt=2)
