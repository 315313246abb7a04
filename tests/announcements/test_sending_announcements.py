"""An announcement goes to each user it is for, once at most, and to none who opted out (P17)."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default

import pytest
from sqlalchemy import select, text, update

from config.fault_injection import FaultInjected
from qikbiz.audit.models import AuditEvent
from qikbiz.identity.accounts.models import User
from qikbiz.jobs.models import Job
from qikbiz.kernel.database import control_transaction, tenant_transaction
from tests.announcements.conftest import AnnouncementHarness, FakeMailServer

pytestmark = pytest.mark.usefixtures("smtp")


def recipients(mail_server: FakeMailServer) -> list[str]:
    return sorted(address for taken in mail_server.taken for address in taken.rcpt_tos)


@pytest.mark.promise("P17")
def test_everybody_gets_it_once_in_both_forms_and_the_numbers_say_so(
    harness: AnnouncementHarness, mail_server: FakeMailServer
) -> None:
    found = harness.draft()
    harness.send(found)
    harness.run_all(found)
    assert recipients(mail_server) == sorted(harness.addresses)
    message = message_from_bytes(mail_server.taken[0].original_content or b"", policy=default)
    assert message["Subject"] == "A new way to search"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    plain = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    html = message.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert "- one" in plain and "two (https://example.com/two)" in plain
    assert "<strong>quicker</strong>" in html and 'href="https://example.com/two"' in html
    totals = harness.totals(found)
    assert (totals.tenants, totals.recipients, totals.sent, totals.waiting) == (2, 6, 6, 0)
    assert harness.state(found) == "sent"


@pytest.mark.promise("P17")
def test_who_opted_out_before_or_while_it_waits_gets_nothing_and_is_counted(
    harness: AnnouncementHarness, mail_server: FakeMailServer
) -> None:
    first, second = harness.tenants
    before, meanwhile = harness.people[first.id][1], harness.people[second.id][1]
    harness.opt_out(before)
    found = harness.draft()
    harness.send(found)
    harness.run_platform()
    for tenant in harness.tenants:
        harness.run_tenant(tenant, "announcements.deliver")
    harness.opt_out(meanwhile)
    for tenant in harness.tenants:
        harness.run_tenant(tenant, "mail.send")
    assert recipients(mail_server) == sorted(harness.addresses - {before.email, meanwhile.email})
    totals = harness.totals(found)
    assert (totals.sent, totals.opted_out, totals.failed, totals.waiting) == (4, 2, 0, 0)


@pytest.mark.promise("P17")
@pytest.mark.parametrize("category", ["legal", "security"])
def test_what_must_be_said_reaches_who_opted_out_of_everything_else(
    harness: AnnouncementHarness, mail_server: FakeMailServer, category: str
) -> None:
    somebody = harness.people[harness.tenants[0].id][0]
    harness.opt_out(somebody)
    harness.opt_out(somebody, "improvements")
    found = harness.draft(category=category)
    harness.send(found)
    harness.run_all(found)
    assert recipients(mail_server) == sorted(harness.addresses)
    message = message_from_bytes(mail_server.taken[0].original_content or b"", policy=default)
    assert message["List-Unsubscribe"] is None


@pytest.mark.promise("P17")
def test_only_administrators_and_only_the_chosen_tenants(
    harness: AnnouncementHarness, mail_server: FakeMailServer
) -> None:
    first, second = harness.tenants
    found = harness.draft(audience="administrators", tenant_ids=[str(second.id)])
    harness.send(found)
    harness.run_all(found)
    assert recipients(mail_server) == [harness.people[second.id][0].email]
    assert harness.mails(first) == []
    assert harness.totals(found).tenants == 1


@pytest.mark.promise("P17")
def test_all_tenants_means_every_open_one(harness: AnnouncementHarness) -> None:
    with control_transaction() as session:
        closed = str(harness.tenants[1].id)
        session.execute(text("UPDATE tenants SET state = 'suspended' WHERE id = :id"), {"id": closed})
    found = harness.draft(tenant_ids=[])
    harness.send(found)
    harness.run_platform()
    with control_transaction() as session:
        rows = session.execute(
            text("SELECT tenant_id::text FROM announcement_tenants WHERE announcement_id = :id"), {"id": found}
        )
        reached = {row[0] for row in rows}
    assert str(harness.world.acme.tenant.id) in reached
    assert closed not in reached
    harness.stop(found)
    for tenant in (harness.world.acme.tenant, harness.world.globex.tenant):
        harness.run_tenant(tenant, "announcements.deliver")
        assert harness.mails(tenant) == []


@pytest.mark.promise("P17")
def test_a_login_taken_away_gets_nothing(harness: AnnouncementHarness, mail_server: FakeMailServer) -> None:
    tenant = harness.tenants[0]
    gone = harness.people[tenant.id][2]
    with tenant_transaction(tenant) as session:
        session.execute(update(User).where(User.id == gone.id).values(state="disabled"))
    found = harness.draft()
    harness.send(found)
    harness.run_all(found)
    assert gone.email not in recipients(mail_server)
    assert harness.totals(found).recipients == 5


@pytest.mark.promise("P17")
def test_doing_every_job_twice_doubles_nothing(harness: AnnouncementHarness, mail_server: FakeMailServer) -> None:
    found = harness.draft()
    harness.send(found)
    for _ in range(2):
        harness.run_all(found)
        with control_transaction() as session:
            session.execute(text("UPDATE platform_jobs SET state = 'pending', finished_at = NULL, token = NULL"))
            session.execute(text("UPDATE announcement_tenants SET state = 'waiting'"))
            session.execute(text("UPDATE announcements SET state = 'sending'"))
        for tenant in harness.tenants:
            with tenant_transaction(tenant) as session:
                session.execute(text("UPDATE jobs SET state = 'pending', finished_at = NULL, token = NULL"))
    assert recipients(mail_server) == sorted(harness.addresses)


@pytest.mark.promise("P17")
@pytest.mark.parametrize("point", ["announcements.begun", "announcements.tenant_asked"])
def test_a_platform_job_that_dies_half_way_goes_on_where_it_was(
    harness: AnnouncementHarness, mail_server: FakeMailServer, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = harness.draft()
    harness.send(found)
    with monkeypatch.context() as broken:
        broken.setenv("QIKBIZ_FAULT", f"{point}=raise")
        harness.run_platform()
    assert harness.state(found) == "sending"
    harness.run_all(found)
    assert recipients(mail_server) == sorted(harness.addresses)
    assert harness.state(found) == "sent"


@pytest.mark.promise("P17")
def test_a_tenants_job_that_dies_after_writing_leaves_no_half(
    harness: AnnouncementHarness, mail_server: FakeMailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = harness.draft()
    harness.send(found)
    harness.run_platform()
    tenant = harness.tenants[0]
    with monkeypatch.context() as broken:
        broken.setenv("QIKBIZ_FAULT", "announcements.written=raise")
        harness.run_tenant(tenant, "announcements.deliver")
    assert harness.mails(tenant) == []
    harness.run_all(found)
    assert recipients(mail_server) == sorted(harness.addresses)


@pytest.mark.promise("P17")
def test_stopping_holds_back_what_has_not_left(harness: AnnouncementHarness, mail_server: FakeMailServer) -> None:
    found = harness.draft()
    harness.send(found)
    harness.run_platform()
    first, second = harness.tenants
    for tenant in harness.tenants:
        harness.run_tenant(tenant, "announcements.deliver")
    harness.run_tenant(first, "mail.send", most=1)
    harness.stop(found)
    for tenant in harness.tenants:
        harness.run_tenant(tenant, "mail.send")
    assert len(mail_server.taken) == 1
    totals = harness.totals(found)
    assert (totals.sent, totals.dropped, totals.waiting) == (1, 5, 0)
    assert {mail.reason for mail in harness.mails(second)} == {"stopped"}
    assert harness.state(found) == "stopped"


@pytest.mark.promise("P17")
def test_stopped_before_a_tenant_was_asked_it_is_never_asked(
    harness: AnnouncementHarness, mail_server: FakeMailServer
) -> None:
    found = harness.draft()
    harness.send(found)
    harness.stop(found)
    harness.run_all(found)
    assert (mail_server.taken, harness.state(found)) == ([], "stopped")
    assert [harness.mails(tenant) for tenant in harness.tenants] == [[], []]


@pytest.mark.promise("P17")
def test_mails_are_spread_over_time(harness: AnnouncementHarness) -> None:
    found = harness.draft()
    harness.send(found)
    harness.run_platform()
    tenant = harness.tenants[0]
    harness.run_tenant(tenant, "announcements.deliver")
    with tenant_transaction(tenant) as session:
        times = session.scalars(select(Job.run_at).where(Job.kind == "mail.send").order_by(Job.run_at)).all()
    # 600 a minute: a tenth of a second between two.
    gaps = [(later - earlier).total_seconds() for earlier, later in zip(times[-3:], times[-2:], strict=False)]
    assert gaps == pytest.approx([0.1, 0.1])


@pytest.mark.promise("P17")
def test_a_refused_mail_counts_as_failed(harness: AnnouncementHarness, mail_server: FakeMailServer) -> None:
    mail_server.message = "550 No such user"
    found = harness.draft(tenant_ids=[str(harness.tenants[0].id)])
    harness.send(found)
    harness.run_all(found)
    totals = harness.totals(found)
    assert (totals.sent, totals.failed, totals.waiting) == (0, 3, 0)


@pytest.mark.promise("P17")
def test_a_count_that_was_never_made_is_made_up_for(
    harness: AnnouncementHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    from qikbiz.messaging.announcements import jobs
    from qikbiz.messaging.mail.announcement_hooks import AFTER_SENDING

    found = harness.draft()
    harness.send(found)
    with monkeypatch.context() as dead:
        dead.setattr(AFTER_SENDING, "_values", [lambda *_: None])
        dead.setattr(jobs.counting, "count_tenant", lambda *_: None)
        harness.run_all(found)
    assert (harness.totals(found).sent, harness.state(found)) == (0, "sending")
    harness.run_platform("announcements.count")
    assert (harness.totals(found).sent, harness.state(found)) == (6, "sent")


@pytest.mark.promise("P17")
def test_each_organisation_sees_in_its_audit_what_staff_sent_to_its_people(harness: AnnouncementHarness) -> None:
    found = harness.draft(category="legal")
    harness.send(found)
    harness.run_all(found)
    for tenant in harness.tenants:
        with tenant_transaction(tenant) as session:
            event = session.scalars(select(AuditEvent).where(AuditEvent.action == "announcement.sent")).one()
        assert (event.actor_kind, event.actor_name, event.subject) == ("staff", "Olivia", "A new way to search")
        assert event.details == {"category": "legal", "audience": "everybody", "recipients": 3}


def test_the_fault_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from config.fault_injection import fault

    monkeypatch.setenv("QIKBIZ_FAULT", "announcements.written=raise")
    with pytest.raises(FaultInjected):
        fault("announcements.written")


@pytest.mark.promise("P17")
@pytest.mark.parametrize(("category", "reaches"), [("updates", False), ("legal", True)])
def test_a_suspended_organisation_is_told_what_has_to_be_told_and_no_news(
    harness: AnnouncementHarness, mail_server: FakeMailServer, category: str, reaches: bool
) -> None:
    first = harness.tenants[0]
    with control_transaction() as session:
        session.execute(text("UPDATE tenants SET state = 'suspended' WHERE id = :id"), {"id": first.id})
    found = harness.draft(category=category, tenant_ids=[str(first.id)])
    harness.send(found)
    harness.run_all(found)
    assert bool(mail_server.taken) == reaches
    assert harness.state(found) == "sent"
