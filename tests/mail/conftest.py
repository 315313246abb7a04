"""A mail server whose moods a test chooses, and jobs done on the spot."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from flask import current_app
from sqlalchemy import select, text, update

from qikbiz.jobs.models import Job
from qikbiz.kernel.database import control_transaction, tenant_transaction
from qikbiz.messaging.mail import actions
from qikbiz.messaging.mail.models import Mail
from tenants.runtime import Runtime
from tests.fixtures.people import Person
from tests.fixtures.ports import free_port
from tests.fixtures.world import World
from workers import run_job


@dataclass
class FakeMailServer:
    """What the server answers at each point; a callable may do anything, such as closing the connection."""

    recipient: str = "250 OK"
    message: str = "250 Taken"
    drops_after_data: bool = False
    hangs: bool = False
    taken: list[Envelope] = field(default_factory=list)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.recipient

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.message.startswith("250"):
            self.taken.append(envelope)
        if self.drops_after_data:
            assert server.transport is not None
            server.transport.abort()
        return self.message


NOTICE: dict[str, Any] = {
    "template": "import_done",
    "values": {
        "organisation": "Acme",
        "file": "a.csv",
        "created": "1",
        "updated": "2",
        "unchanged": "3",
        "invalid": "4",
        "url": "https://acme.example/i/1",
    },
}


@pytest.fixture
def mail_server() -> FakeMailServer:
    return FakeMailServer()


@pytest.fixture
def port(mail_server: FakeMailServer) -> Iterator[int]:
    number = free_port()
    controller = Controller(mail_server, hostname="127.0.0.1", port=number)
    controller.start()
    yield number
    controller.stop()


@dataclass
class MailHarness:
    """Acme's mails, one at a time."""

    world: World
    runtime: Runtime

    def write(self, template: str = "password_reset", **given: Any) -> UUID:
        values = {"name": "Bob", "organisation": "Acme", "url": "https://acme.example/p/SECRET", "hours": 1}
        wanted = {"to_address": "bob@example.com", "to_name": "Bob", "values": values, "dedupe_key": "one"} | given
        with tenant_transaction(self.world.acme.tenant):
            return actions.send(template, **wanted).id

    def notice(self, person: Person | None = None, **given: Any) -> UUID:
        """A mail that can be switched off: an import is done."""
        to = person or self.world.bob
        return self.write(**NOTICE, to_user=to.id, to_address=to.email, to_name=to.name, **given)  # type: ignore[arg-type]

    def write_and_fail(self) -> None:
        with tenant_transaction(self.world.acme.tenant):
            self.write_inside()
            raise RuntimeError("The work that wanted the mail failed.")

    def write_inside(self) -> None:
        actions.send("password_reset", to_address="bob@example.com", values={}, category="security", dedupe_key="two")

    def count(self) -> int:
        with tenant_transaction(self.world.acme.tenant) as session:
            return len(session.scalars(select(Mail.id)).all())

    def mail(self, mail_id: UUID) -> Mail:
        with tenant_transaction(self.world.acme.tenant) as session:
            return session.scalars(select(Mail).where(Mail.id == mail_id)).one()

    def state(self, mail_id: UUID) -> str:
        return self.mail(mail_id).state

    def deliver(self, mail_id: UUID) -> str:
        """Do the mail's job now, as a worker would."""
        with tenant_transaction(self.world.acme.tenant) as session:
            job_id = session.scalars(
                select(Job.id).where(Job.arguments["mail"].astext == str(mail_id)).order_by(Job.id.desc())
            ).first()
            session.execute(update(Job).where(Job.id == job_id, Job.state == "pending").values(run_at=text("now()")))
        assert job_id is not None
        return run_job.perform(self.world.acme.tenant.id, job_id)


@pytest.fixture
def mail_harness(world: World, working: Runtime, rested: None) -> Iterator[MailHarness]:
    yield MailHarness(world, working)
    with tenant_transaction(world.acme.tenant) as session:
        session.execute(text("DELETE FROM mails"))
        session.execute(text("DELETE FROM mail_choices"))
        session.execute(text("DELETE FROM jobs"))
    with control_transaction() as session:
        session.execute(text("DELETE FROM platform_mails"))
        session.execute(text("DELETE FROM platform_jobs"))


@pytest.fixture
def served_by(working: Runtime) -> Callable[[str | None], None]:
    """A function that sets the mail server of the current application."""

    def choose(url: str | None) -> None:
        working.settings = replace(working.settings, smtp_url=url)
        assert current_app.extensions["qikbiz"] is working

    return choose


@pytest.fixture
def smtp(served_by: Callable[[str | None], None], port: int) -> None:
    served_by(f"smtp://127.0.0.1:{port}")
