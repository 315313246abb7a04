"""Operators see how a tenant's jobs went and may have one tried again; what the jobs are about stays the tenant's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from qikbiz.audit.models import PlatformAuditEvent
from qikbiz.jobs import ledger
from qikbiz.jobs.actions import enqueue
from qikbiz.jobs.models import Job, PlatformJob
from qikbiz.kernel.database import control_transaction, tenant_transaction
from tenants.runtime import Runtime
from tests.fixtures.web import Browser
from tests.fixtures.world import World
from workers.run_job import perform
from workers.sweep_round import Sweep

ClientFor = Callable[[str], Browser]


@pytest.fixture
def failed_job(world: World, working: Runtime) -> Iterator[UUID]:
    with tenant_transaction(world.acme.tenant) as session:
        job_id = enqueue("mail.send", {"mail": "canary-in-the-arguments"}).id
        session.execute(update(Job).where(Job.id == job_id).values(state="failed", error_ref=ledger.reference(job_id)))
    yield job_id
    with tenant_transaction(world.acme.tenant) as session:
        session.execute(text("DELETE FROM jobs"))


def test_an_operator_sees_how_a_tenant_s_jobs_went_but_not_what_they_are_about(
    client_for: ClientFor, failed_job: UUID
) -> None:
    page = client_for("olivia").get("/tenants/acme/jobs?state=failed")
    assert page.status_code == 200
    assert ledger.reference(failed_job) in page.text
    assert "Send an email" in page.text
    assert "canary" not in page.text
    assert "No jobs" in client_for("olivia").get("/tenants/acme/jobs?state=quarantined").text


def test_an_operator_has_a_failed_job_tried_again_and_the_audit_says_so(
    world: World, client_for: ClientFor, failed_job: UUID
) -> None:
    answer = client_for("olivia").post(f"/tenants/acme/jobs/{failed_job}/retry")
    assert answer.status_code == 302
    with control_transaction() as session:
        asked = session.scalars(select(PlatformJob.id).where(PlatformJob.kind == "jobs.retry")).one()
    assert perform(None, asked) == "done"
    with tenant_transaction(world.acme.tenant) as session:
        assert session.get_one(Job, failed_job).state == "pending"
    with control_transaction() as session:
        event = session.scalars(select(PlatformAuditEvent).where(PlatformAuditEvent.subject == str(failed_job))).one()
    assert (event.action, event.actor_name, event.tenant_id) == ("job.try_again", "Olivia", world.acme.tenant.id)
    assert client_for("olivia").post(f"/tenants/acme/jobs/{failed_job}/retry").status_code == 409


def test_support_may_look_but_not_try_again(client_for: ClientFor, failed_job: UUID) -> None:
    page = client_for("sam").get("/tenants/acme/jobs")
    assert page.status_code == 200
    assert "Try again" not in page.text
    assert client_for("sam").post(f"/tenants/acme/jobs/{failed_job}/retry").status_code == 403


def test_a_job_of_another_tenant_is_not_found_under_this_one(client_for: ClientFor, failed_job: UUID) -> None:
    assert client_for("olivia").post(f"/tenants/globex/jobs/{failed_job}/retry").status_code == 409
    assert client_for("olivia").get("/tenants/nobody/jobs").status_code == 404
    assert client_for("alice").get("/tenants/acme/jobs").status_code == 404


def test_a_job_that_was_set_aside_stands_in_the_platform_s_audit(world: World, failed_job: UUID) -> None:
    with tenant_transaction(world.acme.tenant) as session:
        lost = {"state": "running", "attempt": 99, "lease_until": text("now() - interval '1 minute'")}
        session.execute(update(Job).where(Job.id == failed_job).values(lost))
    Sweep()._look(world.acme.tenant.id)
    with control_transaction() as session:
        subject = ledger.reference(failed_job)
        event = session.scalars(select(PlatformAuditEvent).where(PlatformAuditEvent.subject == subject)).one()
    assert (event.action, event.actor_kind, event.tenant_id) == ("job.quarantined", "system", world.acme.tenant.id)
