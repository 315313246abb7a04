"""Acme's notifications, seen from inside and done away with afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import select, text

from qikbiz.crm.contacts.actions import create_contact
from qikbiz.identity.accounts.models import User
from qikbiz.kernel.actors import Actor, acting_as
from qikbiz.kernel.database import tenant_transaction
from qikbiz.messaging.mail.choices import change_choices
from qikbiz.messaging.mail.models import Mail
from qikbiz.messaging.notifications.actions import notify
from qikbiz.messaging.notifications.models import Notification
from tenants.runtime import Runtime
from tests.fixtures.people import Person
from tests.fixtures.world import World


@dataclass
class News:
    """The notifications of Acme's users."""

    world: World

    def notify(
        self, *people: Person, kind: str = "assigned", subject: str = "Something", url: str = "/contacts"
    ) -> None:
        with tenant_transaction(self.world.acme.tenant):
            notify([person.id for person in people], kind, subject, url)

    def of(self, person: Person) -> Sequence[Notification]:
        with tenant_transaction(self.world.acme.tenant) as session:
            query = select(Notification).where(Notification.user_id == person.id).order_by(Notification.id)
            return session.scalars(query).all()

    def mails(self) -> list[tuple[str, str]]:
        """(template, address) of each mail written, but for what a sign-in itself sends."""
        with tenant_transaction(self.world.acme.tenant) as session:
            query = select(Mail).where(Mail.category != "security").order_by(Mail.id)
            return [(mail.template, mail.to_address) for mail in session.scalars(query)]

    def choose(self, person: Person, kind: str, choice: str) -> None:
        with tenant_transaction(self.world.acme.tenant) as session:
            change_choices(session.get_one(User, person.id), {f"notifications.{kind}": choice})

    def contact(self, owner: Person | None = None, by: Person | None = None, **values: object) -> UUID:
        giver = by or self.world.alice
        with acting_as(Actor("user", giver.id, giver.name)), tenant_transaction(self.world.acme.tenant):
            given = {"last_name": "Lee", "owner_id": owner.id if owner else None, **values}
            created: UUID = create_contact(given).id
            return created


@pytest.fixture
def news(world: World, working: Runtime) -> Iterator[News]:
    _clear(world)
    yield News(world)
    _clear(world)


def _clear(world: World) -> None:
    with tenant_transaction(world.acme.tenant) as session:
        for table in ("notifications", "mails", "mail_choices", "jobs", "contact_companies", "contacts"):
            session.execute(text(f"DELETE FROM {table}"))
    with world.runtime.redis.client() as redis:
        for person in ("alice", "ben", "bob"):
            redis.delete(world.runtime.redis.tenant_key(world.acme.tenant.id, "unread", world.person(person).id.hex))


@pytest.fixture
def disabled(news: News) -> Iterator[Callable[[Person], None]]:
    """A function that deactivates a user until the end of the test."""
    changed: list[Person] = []

    def disable(person: Person) -> None:
        changed.append(person)
        _set_state(news, person, "disabled")

    yield disable
    for person in changed:
        _set_state(news, person, "active")


def _set_state(news: News, person: Person, state: str) -> None:
    with tenant_transaction(news.world.acme.tenant) as session:
        session.get_one(User, person.id).state = state
