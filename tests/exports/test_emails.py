"""Emails about exports go to the right users, once, with a link to the page and never to the file."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select

from provisioning.guest_roles import open_grant
from qikbiz.jobs.actions import enqueue
from qikbiz.jobs.models import Job
from qikbiz.kernel.actors import Actor, acting_as
from qikbiz.kernel.database import control_transaction, runtime, tenant_transaction
from qikbiz.messaging.mail.actions import opened_values
from qikbiz.messaging.mail.models import Mail
from qikbiz.messaging.mail.rendering import RenderedMail, render_mail
from qikbiz.transfer.exports.actions import ask_for_export, note_fetch
from qikbiz.transfer.exports.job_steps import give_up
from qikbiz.transfer.exports.selection import Selection
from qikbiz.trust.grants.instructions import record_instruction
from qikbiz.trust.grants.models import Grant
from qikbiz.trust.grants.queries import actor_under, guest_of
from qikbiz.trust.grants.scopes import GrantScope
from tests.exports.conftest import ExportHarness
from tests.fixtures.people import Person
from workers.run_job import perform


def mails_in(export_harness: ExportHarness) -> dict[tuple[str, str], RenderedMail]:
    """Every mail about exports as it will be sent, by template and first name."""
    with tenant_transaction(export_harness.tenant) as session:
        rows = session.scalars(select(Mail).where(Mail.template.like("export%")))
        return {
            (mail.template, mail.to_name): render_mail(mail.template, opened_values(mail, export_harness.tenant.id))
            for mail in rows
        }


def test_alice_is_told_that_hers_is_ready_and_ada_that_it_was_made(
    export_harness: ExportHarness, add_person: Callable[..., Person]
) -> None:
    add_person(export_harness.tenant, "Ada", "administrator")
    add_person(export_harness.tenant, "Ben", "member")
    export = export_harness.make()
    mails = mails_in(export_harness)
    assert set(mails) == {("export_ready", "Alice"), ("export_made", "Ada")}
    for mail in mails.values():
        assert f"/exports/{export.id}" in mail.text and "/file" not in mail.text
    assert "Alice" in mails["export_made", "Ada"].text


def test_the_first_download_names_who_fetched_it_and_from_where(export_harness: ExportHarness) -> None:
    export = export_harness.make()
    with (
        acting_as(Actor("user", export_harness.alice.id, "Alice")),
        tenant_transaction(export_harness.tenant) as session,
    ):
        note_fetch(session.merge(export), first=0, last=9, device="Firefox on Windows")
    told = mails_in(export_harness)["export_downloaded_first", "Alice"]
    assert "Alice" in told.text and "Firefox on Windows" in told.text


def test_what_staff_had_exported_is_told_with_the_instruction(export_harness: ExportHarness) -> None:
    with acting_as(Actor("staff", name="Sam")):
        asked = record_instruction(export_harness.tenant, GrantScope.EXPORT, "Letter of Ann Lee, 3 November")
    assert open_grant(runtime().settings, asked.id)
    with control_transaction() as control:
        grant = control.get_one(Grant, asked.id)
        staff, guest = actor_under(grant, None), guest_of(grant)
    with acting_as(staff), tenant_transaction(export_harness.tenant, guest=guest):
        export = ask_for_export(Selection("contacts"))
    export_harness.make_now(export)
    told = mails_in(export_harness)["export_made", "Alice"]
    assert "Sam of QikBiz" in told.text and "Letter of Ann Lee, 3 November" in told.text


def test_a_failure_is_told_with_a_reason_and_a_reference(export_harness: ExportHarness) -> None:
    export = export_harness.ask()
    for _ in range(2):
        with tenant_transaction(export_harness.tenant) as session:
            give_up(session, export.id, "The disk is full.", "E-12345678")
    mails = mails_in(export_harness)
    assert list(mails) == [("export_failed", "Alice")]
    assert "The disk is full." in mails["export_failed", "Alice"].text
    assert "E-12345678" in mails["export_failed", "Alice"].text


def test_the_hourly_job_runs_in_the_ledger(export_harness: ExportHarness) -> None:
    with tenant_transaction(export_harness.tenant):
        job = enqueue("exports.expire", {})
    perform(export_harness.tenant.id, job.id)
    with tenant_transaction(export_harness.tenant) as session:
        assert session.get_one(Job, job.id).state == "done"
