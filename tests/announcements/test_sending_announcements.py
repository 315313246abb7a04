"""An announcement reaches everybody it is for, once at most, and nobody who opted out (P17)."""

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
from tests.announcements.conftest import Mood, Office

pytestmark = pytest.mark.usefixtures("smtp")


def recipients(mood: Mood) -> list[str]:
    return sorted(address for taken in mood.taken for address in taken.rcpt_tos)


@pytest.mark.promise("P17")
def test_everybody_gets_it_once_in_both_forms_and_the_numbers_say_so(office: Office, mood: Mood) -> None:
    found = office.draft()
    office.send(found)
    office.run_all(found)
    assert recipients(mood) == sorted(office.addresses)
    message = message_from_bytes(mood.taken[0].original_content or b"", policy=default)
    assert message["Subject"] == "A new way to search"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    plain = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    html = message.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert "- one" in plain and "two (https://example.com/two)" in plain
    assert "<strong>quicker</strong>" in html and 'href="https://example.com/two"' in html
    totals = office.totals(found)
    assert (totals.tenants, totals.recipients, totals.sent, totals.waiting) == (2, 6, 6, 0)
    assert office.state(found) == "sent"


@pytest.mark.promise("P17")
def test_who_opted_out_before_or_while_it_waits_gets_nothing_and_is_counted(office: Office, mood: Mood) -> None:
    first, second = office.tenants
    before, meanwhile = office.people[first.id][1], office.people[second.id][1]
    office.opt_out(before)
    found = office.draft()
    office.send(found)
    office.run_platform()
    for tenant in office.tenants:
        office.run_tenant(tenant, "announcements.deliver")
    office.opt_out(meanwhile)
    for tenant in office.tenants:
        office.run_tenant(tenant, "mail.send")
    assert recipients(mood) == sorted(office.addresses - {before.email, meanwhile.email})
    totals = office.totals(found)
    assert (totals.sent, totals.opted_out, totals.failed, totals.waiting) == (4, 2, 0, 0)


@pytest.mark.promise("P17")
@pytest.mark.parametrize("category", ["legal", "security"])
def test_what_must_be_said_reaches_who_opted_out_of_everything_else(office: Office, mood: Mood, category: str) -> None:
    somebody = office.people[office.tenants[0].id][0]
    office.opt_out(somebody)
    office.opt_out(somebody, "improvements")
    found = office.draft(category=category)
    office.send(found)
    office.run_all(found)
    assert recipients(mood) == sorted(office.addresses)
    message = message_from_bytes(mood.taken[0].original_content or b"", policy=default)
    assert message["List-Unsubscribe"] is None


@pytest.mark.promise("P17")
def test_only_administrators_and_only_the_chosen_tenants(office: Office, mood: Mood) -> None:
    first, second = office.tenants
    found = office.draft(audience="administrators", tenant_ids=[str(second.id)])
    office.send(found)
    office.run_all(found)
    assert recipients(mood) == [office.people[second.id][0].email]
    assert office.mails(first) == []
    assert office.totals(found).tenants == 1


@pytest.mark.promise("P17")
def test_all_tenants_means_every_open_one(office: Office) -> None:
    with control_transaction() as session:
        closed = str(office.tenants[1].id)
        session.execute(text("UPDATE tenants SET state = 'suspended' WHERE id = :id"), {"id": closed})
    found = office.draft(tenant_ids=[])
    office.send(found)
    office.run_platform()
    with control_transaction() as session:
        rows = session.execute(
            text("SELECT tenant_id::text FROM announcement_tenants WHERE announcement_id = :id"), {"id": found}
        )
        reached = {row[0] for row in rows}
    assert str(office.platform.acme.id) in reached
    assert closed not in reached
    office.stop(found)
    for tenant in (office.platform.acme, office.platform.globex):
        office.run_tenant(tenant, "announcements.deliver")
        assert office.mails(tenant) == []


@pytest.mark.promise("P17")
def test_a_login_taken_away_gets_nothing(office: Office, mood: Mood) -> None:
    tenant = office.tenants[0]
    gone = office.people[tenant.id][2]
    with tenant_transaction(tenant) as session:
        session.execute(update(User).where(User.id == gone.id).values(state="disabled"))
    found = office.draft()
    office.send(found)
    office.run_all(found)
    assert gone.email not in recipients(mood)
    assert office.totals(found).recipients == 5


@pytest.mark.promise("P17")
def test_doing_every_job_twice_doubles_nothing(office: Office, mood: Mood) -> None:
    found = office.draft()
    office.send(found)
    for _ in range(2):
        office.run_all(found)
        with control_transaction() as session:
            session.execute(text("UPDATE platform_jobs SET state = 'pending', finished_at = NULL, token = NULL"))
            session.execute(text("UPDATE announcement_tenants SET state = 'waiting'"))
            session.execute(text("UPDATE announcements SET state = 'sending'"))
        for tenant in office.tenants:
            with tenant_transaction(tenant) as session:
                session.execute(text("UPDATE jobs SET state = 'pending', finished_at = NULL, token = NULL"))
    assert recipients(mood) == sorted(office.addresses)


@pytest.mark.promise("P17")
@pytest.mark.parametrize("point", ["announcements.begun", "announcements.tenant_asked"])
def test_a_platform_job_that_dies_half_way_goes_on_where_it_was(
    office: Office, mood: Mood, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = office.draft()
    office.send(found)
    with monkeypatch.context() as broken:
        broken.setenv("QIKBIZ_FAULT", f"{point}=raise")
        office.run_platform()
    assert office.state(found) == "sending"
    office.run_all(found)
    assert recipients(mood) == sorted(office.addresses)
    assert office.state(found) == "sent"


@pytest.mark.promise("P17")
def test_a_tenants_job_that_dies_after_writing_leaves_no_half(
    office: Office, mood: Mood, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = office.draft()
    office.send(found)
    office.run_platform()
    tenant = office.tenants[0]
    with monkeypatch.context() as broken:
        broken.setenv("QIKBIZ_FAULT", "announcements.written=raise")
        office.run_tenant(tenant, "announcements.deliver")
    assert office.mails(tenant) == []
    office.run_all(found)
    assert recipients(mood) == sorted(office.addresses)


@pytest.mark.promise("P17")
def test_stopping_holds_back_what_has_not_left(office: Office, mood: Mood) -> None:
    found = office.draft()
    office.send(found)
    office.run_platform()
    first, second = office.tenants
    for tenant in office.tenants:
        office.run_tenant(tenant, "announcements.deliver")
    office.run_tenant(first, "mail.send", most=1)
    office.stop(found)
    for tenant in office.tenants:
        office.run_tenant(tenant, "mail.send")
    assert len(mood.taken) == 1
    totals = office.totals(found)
    assert (totals.sent, totals.dropped, totals.waiting) == (1, 5, 0)
    assert {mail.reason for mail in office.mails(second)} == {"stopped"}
    assert office.state(found) == "stopped"


@pytest.mark.promise("P17")
def test_stopped_before_a_tenant_was_asked_it_is_never_asked(office: Office, mood: Mood) -> None:
    found = office.draft()
    office.send(found)
    office.stop(found)
    office.run_all(found)
    assert (mood.taken, office.state(found)) == ([], "stopped")
    assert [office.mails(tenant) for tenant in office.tenants] == [[], []]


@pytest.mark.promise("P17")
def test_mails_are_spread_over_time(office: Office) -> None:
    found = office.draft()
    office.send(found)
    office.run_platform()
    tenant = office.tenants[0]
    office.run_tenant(tenant, "announcements.deliver")
    with tenant_transaction(tenant) as session:
        times = session.scalars(select(Job.run_at).where(Job.kind == "mail.send").order_by(Job.run_at)).all()
    # 600 a minute: a tenth of a second between two.
    gaps = [(later - earlier).total_seconds() for earlier, later in zip(times[-3:], times[-2:], strict=False)]
    assert gaps == pytest.approx([0.1, 0.1])


@pytest.mark.promise("P17")
def test_a_refused_mail_counts_as_failed(office: Office, mood: Mood) -> None:
    mood.message = "550 No such user"
    found = office.draft(tenant_ids=[str(office.tenants[0].id)])
    office.send(found)
    office.run_all(found)
    totals = office.totals(found)
    assert (totals.sent, totals.failed, totals.waiting) == (0, 3, 0)


@pytest.mark.promise("P17")
def test_a_count_that_was_never_made_is_made_up_for(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    from workers.jobs import announcements, mail

    found = office.draft()
    office.send(found)
    with monkeypatch.context() as dead:
        for module in (mail, announcements.counting):
            dead.setattr(module, "count_tenant", lambda *_: None)
        office.run_all(found)
    assert (office.totals(found).sent, office.state(found)) == (0, "sending")
    office.run_platform("announcements.watch")
    assert (office.totals(found).sent, office.state(found)) == (6, "sent")


@pytest.mark.promise("P17")
def test_each_organisation_sees_in_its_audit_what_staff_sent_to_its_people(office: Office) -> None:
    found = office.draft(category="legal")
    office.send(found)
    office.run_all(found)
    for tenant in office.tenants:
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
    office: Office, mood: Mood, category: str, reaches: bool
) -> None:
    first = office.tenants[0]
    with control_transaction() as session:
        session.execute(text("UPDATE tenants SET state = 'suspended' WHERE id = :id"), {"id": first.id})
    found = office.draft(category=category, tenant_ids=[str(first.id)])
    office.send(found)
    office.run_all(found)
    assert bool(mood.taken) == reaches
    assert office.state(found) == "sent"
