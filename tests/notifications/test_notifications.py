"""Users are notified of what concerns them: once for each action, in the app, and by mail as they chose (P17)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select, text

from qikbiz.crm.contacts.models import Contact
from qikbiz.crm.records.mentions import mentioned_in
from qikbiz.identity.accounts.models import User
from qikbiz.kernel.actors import Actor, acting_as
from qikbiz.kernel.database import tenant_transaction
from qikbiz.messaging.notifications.actions import notify
from tenants.control import new_id
from tests.fixtures.people import Person
from tests.notifications.conftest import News


@pytest.mark.promise("P17")
def test_whoever_is_given_a_record_is_told_in_the_app_and_by_mail(client_for: Callable[..., Any], news: News) -> None:
    contact = news.contact()
    ben, alice = news.world.ben, client_for("alice")
    answer = alice.post(f"/contacts/{contact}/fields/owner_id", {"owner_id": str(ben.id), "version": "1"})
    assert answer.status_code == 200
    (told,) = news.of(ben)
    assert (told.kind, told.url) == ("assigned", f"/contacts/{contact}")
    assert told.subject == "Alice assigned the contact Lee to you"
    assert news.mails() == [("assigned", ben.email)]
    page = client_for("ben").get("/notifications")
    assert told.subject in page.text
    assert f'href="/contacts/{contact}"' in page.text


@pytest.mark.promise("P17")
def test_five_hundred_records_given_at_once_are_one_notification(client_for: Callable[..., Any], news: News) -> None:
    with tenant_transaction(news.world.acme.tenant) as session:
        ids = [new_id() for _ in range(500)]
        session.add_all(Contact(id=id_, last_name=f"N{n}", sort_name=f"n{n}") for n, id_ in enumerate(ids))
    ben = news.world.ben
    form = {"act": "owner", "owner_id": str(ben.id), "ids": [str(id_) for id_ in ids]}
    assert client_for("alice").post("/contacts/several", form).status_code in (302, 303)
    (told,) = news.of(ben)
    assert told.subject == "Alice assigned 500 contacts to you"
    assert told.url.startswith("/contacts?owner_id=me")
    assert client_for("ben").get(told.url).status_code == 200
    assert news.mails() == [("assigned", ben.email)]


@pytest.mark.promise("P17")
def test_nobody_is_told_what_they_did_themselves(client_for: Callable[..., Any], news: News) -> None:
    contact = news.contact()
    alice = news.world.alice
    client_for("alice").post(f"/contacts/{contact}/fields/owner_id", {"owner_id": str(alice.id), "version": "1"})
    assert news.of(alice) == []


@pytest.mark.promise("P17")
def test_an_act_that_fails_tells_nobody(news: News) -> None:
    with pytest.raises(RuntimeError), tenant_transaction(news.world.acme.tenant):
        from qikbiz.crm.contacts.actions import create_contact

        create_contact({"last_name": "Lee", "owner_id": news.world.ben.id})
        raise RuntimeError
    assert news.of(news.world.ben) == []
    assert news.mails() == []


@pytest.mark.promise("P17")
def test_a_record_given_on_within_one_act_is_told_to_its_last_owner_only(news: News) -> None:
    from qikbiz.crm.contacts.actions import change_contact, create_contact

    alice, ben, bob = news.world.alice, news.world.ben, news.world.bob
    with acting_as(Actor("user", alice.id, "Alice")), tenant_transaction(news.world.acme.tenant):
        change_contact(create_contact({"last_name": "Lee", "owner_id": bob.id}), {"owner_id": ben.id})
    assert (len(news.of(bob)), len(news.of(ben))) == (0, 1)


@pytest.mark.promise("P17")
def test_a_deactivated_login_is_told_nothing(news: News, disabled: Callable[[Person], None]) -> None:
    disabled(news.world.bob)
    news.notify(news.world.bob, news.world.ben)
    assert (len(news.of(news.world.bob)), len(news.of(news.world.ben))) == (0, 1)


@pytest.mark.promise("P17")
@pytest.mark.parametrize(
    ("choice", "rows", "mails", "digests"), [("on", 1, 1, 0), ("daily", 1, 0, 1), ("app", 1, 0, 0), ("off", 0, 0, 0)]
)
def test_each_choice_is_followed(news: News, choice: str, rows: int, mails: int, digests: int) -> None:
    news.choose(news.world.ben, "assigned", choice)
    news.notify(news.world.ben)
    assert (len(news.of(news.world.ben)), len(news.mails())) == (rows, mails)
    with tenant_transaction(news.world.acme.tenant) as session:
        jobs = session.scalar(text("SELECT count(*) FROM jobs WHERE kind = 'notifications.digest'"))
    assert jobs == digests


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "", "contacts"])
def test_a_notification_leads_nowhere_else(news: News, url: str) -> None:
    with pytest.raises(ValueError, match="own site"):
        news.notify(news.world.ben, url=url)


@pytest.mark.promise("P17")
def test_what_a_security_mail_says_at_once_is_not_mailed_a_second_time(news: News) -> None:
    ben, bob = news.world.ben, news.world.bob
    news.choose(bob, "grant_used", "daily")
    with tenant_transaction(news.world.acme.tenant):
        notify([ben.id, bob.id], "grant_used", "Sam used the access", "/access", is_mailed_already=True)
    assert [news.of(person)[0].mail for person in (ben, bob)] == ["none", "daily"]
    assert news.mails() == []


def test_an_unknown_kind_is_refused(news: News) -> None:
    with pytest.raises(KeyError):
        news.notify(news.world.ben, kind="birthday")


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "Bob\r\nBcc: x@y.example", "x" * 5000, "\u202eeel"])
def test_a_hostile_name_is_shown_as_text_in_one_line(client_for: Callable[..., Any], news: News, name: str) -> None:
    news.notify(news.world.ben, subject=f"Alice assigned {name} to you")
    page = client_for("ben").get("/notifications").text
    assert "<script>alert" not in page
    (told,) = news.of(news.world.ben)
    assert len(told.subject) <= 300
    assert "\n" not in told.subject and "\r" not in told.subject and "\u202e" not in told.subject


@pytest.mark.promise("P17")
def test_a_colleague_named_in_a_description_is_told(client_for: Callable[..., Any], news: News) -> None:
    contact = news.contact(description="Called on Monday.")
    form = {"description": "Please ask @ben about the price.", "version": "1"}
    assert client_for("alice").post(f"/contacts/{contact}/fields/description", form).status_code == 200
    (told,) = news.of(news.world.ben)
    assert (told.kind, told.url) == ("mentioned", f"/contacts/{contact}")
    assert "Alice mentioned you" in told.subject
    # The same name in the next version of the text is no news.
    again = {"description": "Please ask @Ben about the new price.", "version": "2"}
    assert client_for("alice").post(f"/contacts/{contact}/fields/description", again).status_code == 200
    assert len(news.of(news.world.ben)) == 1


def _people(**emails: str) -> list[User]:
    return [User(id=new_id(), name=name.replace("_", " "), email_key=email) for name, email in emails.items()]


@pytest.mark.promise("P17")
@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("@Ann Lee, please look", {"Ann Lee"}),
        ("@ann lee", {"Ann Lee"}),
        ("@ann.l: see this", {"Ann Lee"}),
        ("@Ann Lee-Young", {"Ann Lee-Young"}),
        ("mail to x@ann.l", set()),
        ("@Ann", set()),
        ("@Twin", set()),
        ("@@@ @ [a-z]+ @.*", set()),
        ("@Ann\nLee and @bo", {"Ann Lee", "Bo"}),
    ],
)
def test_only_a_name_that_means_one_person_counts(written: str, named: set[str]) -> None:
    people = _people(**{"Ann_Lee": "ann.l@a.example", "Ann_Lee-Young": "aly@a.example", "Bo": "bo@a.example"})
    people += [User(id=new_id(), name="Twin", email_key=f"t{n}@a.example") for n in range(2)]
    by_id = {person.id: person.name for person in people}
    assert {by_id[id_] for id_ in mentioned_in(written, people)} == named


@pytest.mark.promise("P17")
def test_who_may_not_see_the_record_is_not_told_of_it(
    news: News, monkeypatch: pytest.MonkeyPatch, client_for: Callable[..., Any]
) -> None:
    from qikbiz.crm.records import mentions
    from qikbiz.kernel.rights import NOTHING

    monkeypatch.setattr(mentions, "granted_rights", lambda *_: NOTHING)
    news.contact(description="@ben look")
    assert news.of(news.world.ben) == []


@pytest.mark.promise("P17")
def test_two_organisations_never_hear_of_each_other(client_for: Callable[..., Any], news: News) -> None:
    news.notify(news.world.mallory)  # a login that Acme does not have
    with tenant_transaction(news.world.globex.tenant) as session:
        assert session.scalar(text("SELECT count(*) FROM notifications")) == 0
    news.notify(news.world.ben)
    (told,) = news.of(news.world.ben)
    mallory = client_for("mallory")
    assert told.subject not in mallory.get("/notifications").text
    assert mallory.post(f"/notifications/{told.id}/reading").status_code == 404
    assert news.of(news.world.ben)[0].read_at is None


@pytest.mark.promise("P17")
def test_records_given_by_an_import_are_one_notification_for_each_owner(news: News) -> None:
    from qikbiz.crm.contacts.fields import CONTACTS
    from qikbiz.transfer.imports.models import Import
    from qikbiz.transfer.imports.queries import new_owners

    ben, bob, import_id = news.world.ben, news.world.bob, new_id()
    with tenant_transaction(news.world.acme.tenant) as session:
        for number, owner in enumerate((ben, ben, bob)):
            session.add(Contact(last_name=str(number), sort_name="x", owner_id=owner.id, created_by_import=import_id))
        session.flush()
        found = Import(id=import_id, mapping={"0": {"field": "owner_id", "label": "", "label_place": None}})
        session.expunge_all()
        assert dict(new_owners(found, CONTACTS)) == {ben.id: 2, bob.id: 1}
        found.mapping = {"0": {"field": "last_name", "label": "", "label_place": None}}
        assert new_owners(found, CONTACTS) == []
        assert session.scalar(select(func.count()).select_from(Contact)) == 3


@pytest.mark.promise("P17")
def test_everything_of_a_colleague_handed_over_is_one_notification(
    news: News, add_person: Callable[..., Person]
) -> None:
    from qikbiz.crm.record_ownership.transfer import move_records

    ben, leaving = news.world.ben, add_person(news.world.acme.tenant, "Leaving", "member")
    for number in range(3):
        news.contact(owner=leaving, by=leaving, last_name=f"N{number}")
    alice = news.world.alice
    with acting_as(Actor("user", alice.id, "Alice")), tenant_transaction(news.world.acme.tenant) as session:
        move_records(session, leaving.id, ben.id)
    (told,) = news.of(ben)
    assert told.subject == "Alice transferred 3 contacts from Leaving to you"
    with tenant_transaction(news.world.acme.tenant) as session:
        # Other tests count Acme's people.
        session.execute(text("DELETE FROM users WHERE id = :id"), {"id": leaving.id})


@pytest.mark.promise("P17")
def test_what_is_kept_of_a_mail_that_left_names_nobody(news: News) -> None:
    from qikbiz.messaging.mail.models import Mail
    from workers import run_job

    news.notify(news.world.ben, subject="Alice assigned the contact Ann Lee to you")
    with tenant_transaction(news.world.acme.tenant) as session:
        job_id = session.scalar(text("SELECT id FROM jobs WHERE kind = 'mail.send'"))
    assert run_job.perform(news.world.acme.tenant.id, job_id) == "done"
    with tenant_transaction(news.world.acme.tenant) as session:
        mail = session.scalars(select(Mail)).one()
    assert (mail.state, mail.subject, mail.values) == ("sent", "Assigned to you", {})
