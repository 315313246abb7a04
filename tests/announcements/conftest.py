"""Announcements to a few tenants of their own, with jobs done on the spot and mails taken by a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from qikbiz.identity.accounts.models import User
from qikbiz.jobs.models import Job, PlatformJob
from qikbiz.kernel.actors import Actor, acting_as
from qikbiz.kernel.database import control_transaction, tenant_transaction
from qikbiz.messaging.announcements import actions
from qikbiz.messaging.announcements.counting import Totals, totals_of
from qikbiz.messaging.announcements.models import Announcement
from qikbiz.messaging.mail.choices import change_choices
from qikbiz.messaging.mail.models import Mail
from tenants.context import Tenant
from tests.fixtures.people import Person
from tests.fixtures.world import World
from tests.mail.conftest import FakeMailServer, mail_server, port, served_by, smtp
from workers import run_job

__all__ = ["FakeMailServer", "mail_server", "port", "served_by", "smtp"]


@dataclass
class AnnouncementHarness:
    """Two tenants with three people each, and what an operator does."""

    world: World
    tenants: list[Tenant]
    people: dict[UUID, list[Person]] = field(default_factory=dict)

    def draft(self, **given: Any) -> UUID:
        values = {
            "subject": "A new way to search",
            "body": "It is **quicker**.\n\n- one\n- [two](https://example.com/two)",
            "category": "updates",
            "audience": "everybody",
            "tenant_ids": [str(tenant.id) for tenant in self.tenants],
        }
        with acting_as(Actor("staff", self.world.olivia.id, "Olivia")), control_transaction():
            return actions.write_draft(values | given).id

    def send(self, announcement_id: UUID) -> None:
        with acting_as(Actor("staff", self.world.olivia.id, "Olivia")), control_transaction():
            version = actions.announcement_for_reading(announcement_id).version
            actions.schedule(announcement_id, version, None, is_confirmed=True)

    def stop(self, announcement_id: UUID) -> None:
        with acting_as(Actor("staff", self.world.olivia.id, "Olivia")), control_transaction():
            actions.stop(announcement_id)

    def state(self, announcement_id: UUID) -> str:
        with control_transaction() as session:
            return session.get_one(Announcement, announcement_id).state

    def totals(self, announcement_id: UUID) -> Totals:
        with control_transaction():
            return totals_of(announcement_id)

    def run_platform(self, kind: str = "announcements.send") -> list[str]:
        with control_transaction() as session:
            session.execute(text("UPDATE platform_jobs SET run_at = now() WHERE kind = :kind"), {"kind": kind})
            query = select(PlatformJob.id).where(PlatformJob.kind == kind, PlatformJob.state == "pending")
            ids = session.scalars(query).all()
        return [run_job.perform(None, job_id) for job_id in ids]

    def run_tenant(self, tenant: Tenant, kind: str, most: int = 1000) -> list[str]:
        """Do the tenant's waiting jobs of a kind, as if their time had come."""
        with tenant_transaction(tenant) as session:
            session.execute(
                text("UPDATE jobs SET run_at = now() WHERE kind = :kind AND state = 'pending'"), {"kind": kind}
            )
            query = select(Job.id).where(Job.kind == kind, Job.state == "pending").order_by(Job.id)
            ids = session.scalars(query).all()[:most]
        return [run_job.perform(tenant.id, job_id) for job_id in ids]

    def run_all(self, announcement_id: UUID) -> None:
        self.run_platform()
        for tenant in self.tenants:
            self.run_tenant(tenant, "announcements.deliver")
            self.run_tenant(tenant, "mail.send")

    def opt_out(self, person: Person, category: str = "updates") -> None:
        assert person.tenant
        with tenant_transaction(person.tenant) as session:
            change_choices(session.get_one(User, person.id), {category: "off"})

    def mails(self, tenant: Tenant) -> list[Mail]:
        with tenant_transaction(tenant) as session:
            query = select(Mail).where(Mail.template.like("announced%")).order_by(Mail.id)
            return list(session.scalars(query))

    @property
    def addresses(self) -> set[str]:
        return {person.email for people in self.people.values() for person in people}


@pytest.fixture
def harness(
    world: World, working: object, fresh_tenant: Callable[..., Tenant], add_people: Callable[..., list[Person]]
) -> Iterator[AnnouncementHarness]:
    harness = AnnouncementHarness(world, [fresh_tenant("First"), fresh_tenant("Second")])
    for tenant in harness.tenants:
        harness.people[tenant.id] = add_people(tenant, Ann="administrator", Bea="member", Cid="reader")
        with tenant_transaction(tenant) as session:
            # The invitation of its first administrator.
            session.execute(text("DELETE FROM mails"))
            session.execute(text("DELETE FROM jobs"))
    yield harness
    with control_transaction() as session:
        for table in ("announcements", "platform_jobs", "platform_mails"):
            session.execute(text(f"DELETE FROM {table}"))
