"""Ended emails hold addresses: they go after thirty days. One that failed stays until an operator has looked at it."""

from uuid import uuid4

from sqlalchemy import select, text, update

from qikbiz.jobs.actions import enqueue, enqueue_platform
from qikbiz.kernel.database import control_transaction, tenant_transaction
from qikbiz.messaging.mail.models import Mail, PlatformMail
from tests.mail.conftest import MailHarness
from workers import run_job

STATES = ("sent", "unknown", "dropped", "failed", "pending")


def test_emails_that_ended_are_deleted_after_thirty_days_and_failed_ones_kept(mail_harness: MailHarness) -> None:
    acme = mail_harness.world.acme.tenant
    written = {f"{state} {age}": (state, age) for state in STATES for age in (29, 31)}
    for key, (state, age) in written.items():
        mail_id = mail_harness.write(dedupe_key=key)
        with tenant_transaction(acme) as session:
            old = text(f"now() - interval '{age} days'")
            session.execute(update(Mail).where(Mail.id == mail_id).values(state=state, created_at=old))
    with tenant_transaction(acme):
        job_id = enqueue("mail.delete_old", {}).id
    assert run_job.perform(acme.id, job_id) == "done"
    with tenant_transaction(acme) as session:
        left = set(session.scalars(select(Mail.dedupe_key).where(Mail.dedupe_key.in_(written))))
    assert left == {f"{state} 29" for state in STATES} | {"failed 31", "pending 31"}


def test_the_same_is_done_for_emails_of_the_platform(mail_harness: MailHarness) -> None:
    with control_transaction() as session:
        for age in (29, 31):
            old = text(f"now() - interval '{age} days'")
            given = {"category": "security", "template": str(age), "to_address": "ada@example.com", "state": "sent"}
            session.add(PlatformMail(dedupe_key=str(uuid4()), created_at=old, **given))
        job_id = enqueue_platform("mail.delete_old_platform", {}).id
    assert run_job.perform(None, job_id) == "done"
    with control_transaction() as session:
        assert session.scalars(select(PlatformMail.template)).all() == ["29"]
