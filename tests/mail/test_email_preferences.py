"""Users choose which mails they get, category by category, and the choice counts when a mail leaves (P18)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from qikbiz.audit.models import AuditEvent
from qikbiz.identity.accounts.models import User
from qikbiz.kernel.database import control_transaction, tenant_transaction
from qikbiz.messaging.mail import actions
from qikbiz.messaging.mail.categories import CHOOSABLE, KINDS, LOCKED, NEWS
from qikbiz.messaging.mail.choices import change_choices, choices_of
from qikbiz.messaging.mail.models import MailChoice
from tests.fixtures.people import Person
from tests.fixtures.world import World
from tests.mail.conftest import FakeMailServer, MailHarness

PAGE = "/profile/mails"


def choose(world: World, person: Person, **wanted: str) -> None:
    with tenant_transaction(person.tenant or world.acme.tenant) as session:
        change_choices(session.get_one(User, person.id), {key.replace("__", "."): one for key, one in wanted.items()})


def kept(person: Person) -> dict[str, str]:
    assert person.tenant
    with tenant_transaction(person.tenant):
        return dict(choices_of(person.id))


@pytest.fixture(autouse=True)
def _nothing_decided(mail_harness: MailHarness) -> None:
    """`post` empties the choices afterwards."""


@pytest.mark.promise("P18")
def test_the_page_names_every_category_with_its_recommendation_and_says_why_some_are_always_on(
    client_for: Callable[..., Any],
) -> None:
    page = client_for("bob").get(PAGE)
    for category in (*NEWS, *KINDS, *LOCKED):
        assert category.name in page.text.replace("&amp;", "&")
        assert category.because.replace("'", "&#39;") in page.text
    assert page.text.count("<select") == len(CHOOSABLE)
    assert "Recommended, since downtime" in page.text


@pytest.mark.promise("P18")
def test_a_choice_is_kept_shown_again_and_written_to_the_audit(
    client_for: Callable[..., Any], mail_harness: MailHarness
) -> None:
    bob = client_for("bob")
    answer = bob.post(PAGE, {"updates": "off", "notifications.assigned": "daily", "improvements": "on"})
    assert answer.status_code == 303
    mine = kept(mail_harness.world.bob)
    assert (mine["updates"], mine["notifications.assigned"], mine["improvements"]) == ("off", "daily", "on")
    assert '<option value="daily" selected>' in bob.get(PAGE).text
    with tenant_transaction(mail_harness.world.acme.tenant) as session:
        query = select(AuditEvent).where(AuditEvent.action == "mail_choice.changed").order_by(AuditEvent.seq.desc())
        event = session.scalars(query.limit(1)).one()
    assert event.actor_id == mail_harness.world.bob.id
    assert event.details["changes"] == {"updates": ["on", "off"], "notifications.assigned": ["on", "daily"]}
    # The same again changes nothing, and is no act.
    bob.post(PAGE, {"updates": "off"})
    with tenant_transaction(mail_harness.world.acme.tenant) as session:
        assert session.scalars(query.limit(1)).one().id == event.id


@pytest.mark.promise("P18")
@pytest.mark.parametrize(
    "form",
    [
        {"security": "off"},
        {"billing": "off"},
        {"legal": "off"},
        {"answers": "off"},
        {"notifications.digest": "off"},
        {"updates": "daily"},
        {"updates": "x" * 5000},
        {"user_id": "1"},
    ],
)
def test_what_is_no_choice_is_refused_and_changes_nothing(
    client_for: Callable[..., Any], mail_harness: MailHarness, form: dict[str, str]
) -> None:
    answer = client_for("bob").post(PAGE, {"improvements": "off", **form})
    assert answer.status_code == 400
    assert set(kept(mail_harness.world.bob).values()) == {"on"}


def test_nobody_logged_in_and_staff_have_no_such_page(browser_at: Callable[..., Any]) -> None:
    assert browser_at("acme.localhost").get(PAGE).status_code == 303
    assert browser_at("console.localhost").get(PAGE).status_code == 404


@pytest.mark.promise("P18")
@pytest.mark.usefixtures("smtp")
def test_mails_that_wait_are_dropped_with_a_reason_once_their_kind_is_off(
    mail_harness: MailHarness, mail_server: FakeMailServer
) -> None:
    waiting = [mail_harness.notice(dedupe_key=f"import {number}") for number in range(12)]
    choose(mail_harness.world, mail_harness.world.bob, notifications__import_ready="off")
    for mail_id in waiting:
        assert mail_harness.deliver(mail_id) == "done"
    assert mail_server.taken == []
    mails = [mail_harness.mail(mail_id) for mail_id in waiting]
    assert {(mail.state, mail.reason, bool(mail.problem), str(mail.values)) for mail in mails} == {
        ("dropped", "opted_out", True, "{}")
    }


@pytest.mark.promise("P18")
@pytest.mark.usefixtures("smtp")
@pytest.mark.parametrize("choice", ["daily", "app", "off"])
def test_only_who_chose_at_once_gets_the_single_mail(
    mail_harness: MailHarness, mail_server: FakeMailServer, choice: str
) -> None:
    choose(mail_harness.world, mail_harness.world.bob, notifications__import_ready=choice)
    mail_harness.deliver(mail_harness.notice())
    assert mail_server.taken == []


@pytest.mark.promise("P18")
@pytest.mark.usefixtures("smtp")
def test_a_mail_put_off_by_the_server_is_asked_about_again_when_it_leaves(
    mail_harness: MailHarness, mail_server: FakeMailServer
) -> None:
    mail_server.message = "451 Busy"
    mail_id = mail_harness.notice()
    assert mail_harness.deliver(mail_id) == "put off"
    choose(mail_harness.world, mail_harness.world.bob, notifications__import_ready="off")
    mail_server.message = "250 Taken"
    assert mail_harness.deliver(mail_id) == "done"
    assert (mail_harness.mail(mail_id).reason, mail_server.taken) == ("opted_out", [])


@pytest.mark.promise("P18")
@pytest.mark.usefixtures("smtp")
def test_switching_off_one_kind_stops_nothing_else_and_nobody_else(
    mail_harness: MailHarness, mail_server: FakeMailServer
) -> None:
    choose(mail_harness.world, mail_harness.world.bob, notifications__assigned="off", updates="off")
    mail_harness.deliver(mail_harness.notice())
    choose(mail_harness.world, mail_harness.world.bob, notifications__import_ready="off")
    mail_harness.deliver(mail_harness.notice(mail_harness.world.ben, dedupe_key="two"))
    assert [taken.rcpt_tos for taken in mail_server.taken] == [
        [mail_harness.world.bob.email],
        [mail_harness.world.ben.email],
    ]


@pytest.mark.promise("P18")
@pytest.mark.usefixtures("smtp")
def test_security_mails_leave_whatever_was_chosen_and_whatever_a_row_says(
    mail_harness: MailHarness, mail_server: FakeMailServer
) -> None:
    with tenant_transaction(mail_harness.world.acme.tenant) as session:
        session.add(MailChoice(user_id=mail_harness.world.bob.id, category="security", choice="off", how="page"))
    mail_id = mail_harness.write(to_address=mail_harness.world.bob.email)
    assert mail_harness.deliver(mail_id) == "done"
    assert len(mail_server.taken) == 1


@pytest.mark.promise("P18")
@pytest.mark.usefixtures("smtp")
def test_a_choice_from_another_program_version_never_turns_mails_on(
    mail_harness: MailHarness, mail_server: FakeMailServer
) -> None:
    with tenant_transaction(mail_harness.world.acme.tenant) as session:
        session.add(MailChoice(user_id=mail_harness.world.bob.id, category="updates", choice="app", how="page"))
    assert kept(mail_harness.world.bob)["updates"] == "off"


@pytest.mark.promise("P18")
@pytest.mark.usefixtures("smtp")
def test_a_login_that_was_disabled_meanwhile_gets_nothing_but_what_must_be_said(
    mail_harness: MailHarness, mail_server: FakeMailServer
) -> None:
    notice = mail_harness.notice()
    warning = mail_harness.write(to_address=mail_harness.world.bob.email, dedupe_key="warning")
    set_state(mail_harness, "disabled")
    try:
        mail_harness.deliver(notice)
        mail_harness.deliver(warning)
    finally:
        set_state(mail_harness, "active")
    assert (mail_harness.mail(notice).state, mail_harness.mail(notice).reason) == ("dropped", "no_login")
    assert mail_harness.state(warning) == "sent"


def set_state(mail_harness: MailHarness, state: str) -> None:
    with tenant_transaction(mail_harness.world.acme.tenant) as session:
        session.execute(update(User).where(User.id == mail_harness.world.bob.id).values(state=state))


@pytest.mark.promise("P18")
def test_a_mail_of_a_stoppable_kind_goes_to_logins_only(mail_harness: MailHarness) -> None:
    with pytest.raises(ValueError, match="users only"):
        mail_harness.write("import_done", to_address="stranger@example.com", values={})
    with control_transaction(), pytest.raises(ValueError, match="switch them off"):
        actions.send_platform("import_done", to_address="o@example.com", values={}, dedupe_key="x")


@pytest.mark.promise("P18")
def test_a_caller_can_not_make_a_mail_unstoppable_by_calling_it_security(mail_harness: MailHarness) -> None:
    with pytest.raises(ValueError, match="belongs to"):
        mail_harness.write("import_done", to_address=mail_harness.world.bob.email, values={}, category="security")
    with pytest.raises(ValueError, match="no category"):
        mail_harness.write("newsletter", to_address=mail_harness.world.bob.email, values={}, category="security")


@pytest.mark.promise("P18")
@pytest.mark.usefixtures("smtp")
def test_a_row_whose_category_is_unknown_stays_here(mail_harness: MailHarness, mail_server: FakeMailServer) -> None:
    from qikbiz.messaging.mail.models import Mail

    mail_id = mail_harness.notice()
    with tenant_transaction(mail_harness.world.acme.tenant) as session:
        session.execute(update(Mail).where(Mail.id == mail_id).values(category="marketing"))
    mail_harness.deliver(mail_id)
    assert (mail_harness.state(mail_id), mail_server.taken) == ("dropped", [])


@pytest.mark.promise("P18")
def test_choices_go_with_the_login(mail_harness: MailHarness, add_person: Callable[..., Person]) -> None:
    carol = add_person(mail_harness.world.acme.tenant, "Carolchoice", "member")
    choose(mail_harness.world, carol, updates="off")
    with tenant_transaction(mail_harness.world.acme.tenant) as session:
        session.execute(delete(User).where(User.id == carol.id))
        assert session.scalars(select(MailChoice).where(MailChoice.user_id == carol.id)).all() == []


@pytest.mark.usefixtures("smtp")
def test_the_page_of_promises_shows_ones_own_choices_and_what_was_held_back(
    client_for: Callable[..., Any], mail_harness: MailHarness, mail_server: FakeMailServer
) -> None:
    choose(mail_harness.world, mail_harness.world.bob, notifications__import_ready="off")
    mail_harness.deliver(mail_harness.notice())
    page = client_for("bob").get("/promises").text
    assert "You changed Import ready." in page
    assert "1 email, because their recipients unsubscribed" in page
    assert "You get all emails immediately." in client_for("alice").get("/promises").text
