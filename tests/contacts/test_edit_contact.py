"""Changing a contact: on the form, in place, and when two people do it at the same time."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from qikbiz.audit.models import AuditEvent, RecordChange
from qikbiz.crm.contacts.models import Contact
from tests.fixtures.world import Organisation


def sent(version: int = 1, **values: str) -> dict[str, str]:
    return {"version": str(version), "first_name": "Ann", "last_name": "Lee", **values}


def stored(organisation: Organisation, contact_id: str) -> Contact:
    with organisation.work() as session:
        return session.get_one(Contact, UUID(contact_id))


@pytest.fixture
def ann(organisation: Organisation) -> str:
    return organisation.add_contact(first_name="Ann", last_name="Lee", city="Graz", email="ann@example.com")


@pytest.mark.promise("P6")
def test_ben_changes_a_contact_and_history_says_what(organisation: Organisation, ann: str) -> None:
    ben = organisation.browser("ben")
    form = ben.get(f"/contacts/{ann}/edit")
    assert 'value="ann@example.com"' in form.text
    answer = ben.post(f"/contacts/{ann}/edit", sent(city="Wien", **{"emails-0-address": "Ann@Example.com"}))
    assert answer.status_code == 303, answer.text
    page = ben.follow(answer).text
    assert "Saved." in page
    assert "<del>Graz</del>" in page
    assert "<ins>Wien</ins>" in page
    with organisation.work() as session:
        change = session.scalars(select(RecordChange).where(RecordChange.kind == "changed")).one()
        assert (change.version, change.source, change.actor_name) == (2, "form", "Ben")
        assert change.changes == {"city": ["Graz", "Wien"]}
        event = session.scalars(select(AuditEvent).where(AuditEvent.action == "contact.changed")).one()
        assert (event.subject, event.actor_id) == ("Ann Lee", organisation.people["ben"].id)


def test_saving_without_a_change_writes_nothing(organisation: Organisation, ann: str) -> None:
    same = sent(city="Graz", **{"emails-0-address": "ann@example.com"})
    assert organisation.browser("ben").post(f"/contacts/{ann}/edit", same).status_code == 303
    assert stored(organisation, ann).version == 1


def test_a_reader_may_not_change_and_an_outsider_finds_nothing(
    organisation: Organisation, ann: str, client_for: Any
) -> None:
    for path in (f"/contacts/{ann}/edit", f"/contacts/{ann}/fields/city"):
        assert organisation.browser("bob").get(path).status_code == 403
        assert organisation.browser("bob").post(path, sent(city="X")).status_code == 403
        assert client_for("mallory").get(path).status_code == 404
        assert client_for("mallory").post(path, sent(city="X")).status_code == 404
    assert stored(organisation, ann).city == "Graz"


FOREIGN = [
    "tenant_id", "role", "version2", "deleted_at", "id", "sort_name", "email", "emails", "emails-x-address",
    "emails-0-verified", "created_by", "company_id",
]  # fmt: skip


def test_a_field_that_the_form_does_not_have_is_named_and_nothing_is_saved(
    organisation: Organisation, ann: str
) -> None:
    for name in FOREIGN:
        answer = organisation.browser("ben").post(f"/contacts/{ann}/edit", sent(city="Wien", **{name: "1"}))
        assert answer.status_code == 400
        assert name in answer.text
    assert stored(organisation, ann).city == "Graz"


@pytest.mark.promise("P6")
def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(organisation: Organisation, ann: str) -> None:
    wrong = sent(birthdate="31.02.2020", city="Villach", **{"emails-0-address": "ann@", "phones-0-number": "12"})
    answer = organisation.browser("ben").post(f"/contacts/{ann}/edit", wrong)
    assert answer.status_code == 422
    for text in ('value="31.02.2020"', 'value="ann@"', 'value="Villach"', "is not a date", 'href="#birthdate"'):
        assert text in answer.text
    assert stored(organisation, ann).city == "Graz"


def test_a_phone_without_country_code_is_one_of_the_country_given(organisation: Organisation, ann: str) -> None:
    organisation.browser("ben").post(f"/contacts/{ann}/edit", sent(country="AT", **{"phones-0-number": "0664 1234567"}))
    assert stored(organisation, ann).phone == "+436641234567"


def test_text_that_a_spreadsheet_would_run_is_kept_to_the_character(organisation: Organisation, ann: str) -> None:
    for text in ("=cmd|' /C calc'!A0", "+49", "-5", "@x", "\uff1d1", "'x"):
        version = stored(organisation, ann).version
        assert (
            organisation.browser("ben").post(f"/contacts/{ann}/edit", sent(version, department=text)).status_code == 303
        )
        assert stored(organisation, ann).department == text


@pytest.mark.promise("P6")
def test_the_second_of_two_editors_is_told_and_decides(organisation: Organisation, ann: str) -> None:
    alice, ben = organisation.browser("alice"), organisation.browser("ben")
    keep = {"emails-0-address": "ann@example.com"}
    assert alice.post(f"/contacts/{ann}/edit", sent(city="Linz", department="Sales", **keep)).status_code == 303
    conflict = ben.post(f"/contacts/{ann}/edit", sent(city="Wien", job_title="Buyer", **keep))
    assert conflict.status_code == 409
    for text in ("Conflicting edits to Ann Lee", "Alice saved changes", "Linz", "Wien", "Sales"):
        assert text in conflict.text
    assert stored(organisation, ann).city == "Linz"

    undecided = ben.post(f"/contacts/{ann}/conflict", hidden(conflict.text))
    assert undecided.status_code == 409
    decided = ben.post(f"/contacts/{ann}/conflict", {**hidden(conflict.text), "choice-city": "mine"})
    assert decided.status_code == 303
    after = stored(organisation, ann)
    assert (after.city, after.department, after.job_title, after.version) == ("Wien", "Sales", "Buyer", 3)


def test_the_second_editor_can_leave_the_field_to_the_first(organisation: Organisation, ann: str) -> None:
    keep = {"emails-0-address": "ann@example.com"}
    organisation.browser("alice").post(f"/contacts/{ann}/edit", sent(city="Linz", **keep))
    conflict = organisation.browser("ben").post(f"/contacts/{ann}/edit", sent(city="Wien", job_title="Buyer", **keep))
    answer = organisation.browser("ben").post(
        f"/contacts/{ann}/conflict", {**hidden(conflict.text), "choice-city": "theirs"}
    )
    assert answer.status_code == 303
    assert (stored(organisation, ann).city, stored(organisation, ann).job_title) == ("Linz", "Buyer")


@pytest.mark.promise("P6")
def test_edits_of_different_fields_are_both_kept_after_a_look(organisation: Organisation, ann: str) -> None:
    keep = {"city": "Graz", "emails-0-address": "ann@example.com"}
    organisation.browser("alice").post(f"/contacts/{ann}/edit", sent(department="Sales", **keep))
    conflict = organisation.browser("ben").post(f"/contacts/{ann}/edit", sent(job_title="Buyer", **keep))
    assert conflict.status_code == 409
    assert "both edits can be kept" in conflict.text
    assert organisation.browser("ben").post(f"/contacts/{ann}/conflict", hidden(conflict.text)).status_code == 303
    assert (stored(organisation, ann).department, stored(organisation, ann).job_title) == ("Sales", "Buyer")


@pytest.mark.promise("P6")
def test_a_third_edit_during_the_decision_is_not_overwritten(organisation: Organisation, ann: str) -> None:
    keep = {"emails-0-address": "ann@example.com"}
    alice, ben = organisation.browser("alice"), organisation.browser("ben")
    alice.post(f"/contacts/{ann}/edit", sent(city="Linz", **keep))
    conflict = ben.post(f"/contacts/{ann}/edit", sent(city="Wien", **keep))
    alice.post(f"/contacts/{ann}/edit", sent(2, city="Steyr", **keep))
    again = ben.post(f"/contacts/{ann}/conflict", {**hidden(conflict.text), "choice-city": "mine"})
    assert again.status_code == 409
    assert stored(organisation, ann).city == "Steyr"
    assert ben.post(f"/contacts/{ann}/conflict", {**hidden(again.text), "choice-city": "mine"}).status_code == 303
    assert stored(organisation, ann).city == "Wien"


def test_one_field_is_changed_in_place(organisation: Organisation, ann: str) -> None:
    ben = organisation.browser("ben")
    form = ben.get(f"/contacts/{ann}/fields/city")
    assert 'value="Graz"' in form.text
    answer = ben.post(f"/contacts/{ann}/fields/city", {"version": "1", "was": "Graz", "city": "Wien"})
    assert answer.status_code == 200
    assert "Wien" in answer.text
    assert json.loads(answer.headers["HX-Trigger"]) == {"record-changed": None, "toast": {"text": "City saved."}}
    assert "Wien" in ben.get(f"/contacts/{ann}/fields/city?cancel").text


@pytest.mark.promise("P6")
def test_in_place_too_the_second_editor_is_told(organisation: Organisation, ann: str) -> None:
    organisation.browser("alice").post(f"/contacts/{ann}/fields/city", {"version": "1", "was": "Graz", "city": "Linz"})
    answer = organisation.browser("ben").post(
        f"/contacts/{ann}/fields/city", {"version": "1", "was": "Graz", "city": "Wien"}
    )
    assert answer.status_code == 409
    assert "Linz" in answer.text
    assert 'value="Wien"' in answer.text
    other = organisation.browser("ben").post(
        f"/contacts/{ann}/fields/department", {"version": "1", "was": "", "department": "X"}
    )
    assert other.status_code == 200
    assert (stored(organisation, ann).city, stored(organisation, ann).department) == ("Linz", "X")


BAD_IN_PLACE = (("emails", 404), ("id", 404), ("nonsense", 404), ("birthdate", 422))


def test_in_place_bad_input_changes_nothing(organisation: Organisation, ann: str, subtests: pytest.Subtests) -> None:
    for name, status in BAD_IN_PLACE:
        with subtests.test(name):
            answer = organisation.browser("ben").post(
                f"/contacts/{ann}/fields/{name}", {"version": "1", name: "31.31.2020"}
            )
            assert answer.status_code == status
            assert stored(organisation, ann).version == 1


def test_in_place_only_the_one_field_is_taken(organisation: Organisation, ann: str) -> None:
    answer = organisation.browser("ben").post(
        f"/contacts/{ann}/fields/city", {"version": "1", "city": "W", "department": "X"}
    )
    assert answer.status_code == 400
    assert stored(organisation, ann).city == "Graz"


def test_the_primary_address_is_the_one_marked(organisation: Organisation, ann: str) -> None:
    lines = {"emails-0-address": "ann@example.com", "emails-3-address": "new@example.com", "emails-3-label": "home"}
    organisation.browser("ben").post(f"/contacts/{ann}/edit", sent(**lines, **{"emails-primary": "3"}))
    assert (stored(organisation, ann).email, stored(organisation, ann).other_emails) == (
        "new@example.com",
        ["ann@example.com"],
    )
    form = organisation.browser("ben").get(f"/contacts/{ann}/edit").text
    assert form.index("new@example.com") < form.index("ann@example.com")
    # A mark on an empty line means nothing.
    organisation.browser("ben").post(f"/contacts/{ann}/edit", sent(2, **lines, **{"emails-primary": "9"}))
    assert stored(organisation, ann).email == "ann@example.com"


def test_looking_at_the_form_is_audited_as_reading(organisation: Organisation, ann: str) -> None:
    organisation.browser("ben").get(f"/contacts/{ann}/edit")
    with organisation.work() as session:
        assert session.scalars(select(AuditEvent.actor_name).where(AuditEvent.action == "contact.read")).all() == [
            "Ben"
        ]


def test_a_contact_needs_something_to_be_called_by(organisation: Organisation) -> None:
    answer = organisation.browser("ben").post("/contacts", {"city": "Graz"})
    assert answer.status_code == 422
    assert "This record has no name." in answer.text


def test_reports_to_is_chosen_by_name_or_address(organisation: Organisation, ann: str) -> None:
    boss = organisation.add_contact(first_name="Zoe", last_name="Boss", email="zoe@example.com")
    ben = organisation.browser("ben")
    assert "Zoe Boss (zoe@example.com)" in ben.get("/contacts/suggestions?reports_to_id=boss").text
    ben.post(f"/contacts/{ann}/edit", sent(reports_to_id="Zoe Boss (zoe@example.com)"))
    assert str(stored(organisation, ann).reports_to_id) == boss
    wrong = ben.post(f"/contacts/{ann}/edit", sent(2, reports_to_id="Nobody Known"))
    assert wrong.status_code == 422
    assert "No contact is called" in wrong.text


def hidden(page: str) -> dict[str, str]:
    """What the conflict page sends on by itself."""
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    return {name: value for name, value in fields if name != "csrf_token"}


@pytest.mark.promise("P6")
def test_of_two_edits_in_the_same_moment_one_wins_and_one_is_told(organisation: Organisation, ann: str) -> None:
    browsers = [organisation.browser("alice"), organisation.browser("ben")]
    tokens = [browser.csrf_token() for browser in browsers]

    def save(number: int) -> int:
        form = {**sent(city=f"City {number}"), "csrf_token": tokens[number]}
        return browsers[number].post(f"/contacts/{ann}/edit", form).status_code

    with ThreadPoolExecutor(2) as both:
        statuses = sorted(both.map(save, range(2)))
    assert statuses == [303, 409]
    assert stored(organisation, ann).version == 2
