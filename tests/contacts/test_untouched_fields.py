"""Editing one field never changes another: what a form can't carry stays as it is kept, to the byte."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from qikbiz.audit.models import RecordChange
from qikbiz.crm.contacts.models import Contact
from qikbiz.identity.accounts.models import User
from tests.fixtures.sent_forms import sent_by_browser
from tests.fixtures.world import Organisation

# Each as it may have come by an import or from an earlier version of the program.
ODD: dict[str, Any] = {
    "first_name": "Ph",
    "last_name": "One",
    "job_title": "Head\nof x",
    "department": "Sales\r\nand\rservice",
    "city": "  Wien  ",
    "description": "l1\r\nl2\r\n\r\n\tl3  ",
    "lifecycle_stage": "Marketing  qualified\nlead",
    "salutation": "Dr\nPhil",
    "country": "XX",
    "website": "https://example.com/a?b= c",
    "emails": [{"label": "two  words", "address": "ph1@h2.example"}, {"label": "", "address": "PH2@h2.example"}],
    "email": "ph1@h2.example",
    "other_emails": ["PH2@h2.example"],
    "phones": [{"label": "work", "number": "+43316123"}, {"label": "work", "number": "12345"}],
    "phone": "+43316123",
}


@pytest.fixture
def odd(organisation: Organisation) -> str:
    contact_id = organisation.add_contact(first_name="Ph", last_name="One")
    with organisation.work() as session:
        owner = session.scalars(select(User).where(User.name == "Bob")).one()
        owner.state = "disabled"
        found = session.get_one(Contact, UUID(contact_id))
        session.execute(update(Contact).where(Contact.id == found.id).values(**ODD, owner_id=owner.id))
    return contact_id


def kept(organisation: Organisation, contact_id: str) -> dict[str, Any]:
    with organisation.work() as session:
        found = session.get_one(Contact, UUID(contact_id))
        columns = {column.key: getattr(found, column.key) for column in Contact.__table__.columns}
    # What repeats the name, and what every edit changes.
    derived = ("first_name", "sort_name", "version", "updated_at", "updated_by", "search", "document")
    return {name: value for name, value in columns.items() if not name.startswith(derived)}


def test_saving_the_form_with_another_first_name_changes_nothing_else(organisation: Organisation, odd: str) -> None:
    before, ben = kept(organisation, odd), organisation.browser("ben")
    form = sent_by_browser(ben.get(f"/contacts/{odd}/edit").text, f"/contacts/{odd}/edit")
    answer = ben.post(f"/contacts/{odd}/edit", {**form, "first_name": "Philippa"})
    assert answer.status_code == 303, answer.text
    assert kept(organisation, odd) == before
    with organisation.work() as session:
        changed = session.scalars(select(RecordChange).where(RecordChange.kind == "changed")).one().changes
    assert set(changed) - {"sort_name"} == {"first_name"}
    with organisation.work() as session:
        assert session.get_one(Contact, UUID(odd)).first_name == "Philippa"


def test_saving_the_form_as_it_is_changes_nothing_at_all(organisation: Organisation, odd: str) -> None:
    ben = organisation.browser("ben")
    form = sent_by_browser(ben.get(f"/contacts/{odd}/edit").text, f"/contacts/{odd}/edit")
    assert ben.post(f"/contacts/{odd}/edit", form).status_code == 303
    with organisation.work() as session:
        assert session.get_one(Contact, UUID(odd)).version == 1


def test_a_line_break_in_a_field_of_one_line_can_be_edited_and_stays(organisation: Organisation, odd: str) -> None:
    ben = organisation.browser("ben")
    form = sent_by_browser(ben.get(f"/contacts/{odd}/edit").text, f"/contacts/{odd}/edit")
    assert form["job_title"] == "Head\r\nof x"
    assert ben.post(f"/contacts/{odd}/edit", {**form, "job_title": "Head\r\nof sales"}).status_code == 303
    with organisation.work() as session:
        assert session.get_one(Contact, UUID(odd)).job_title == "Head\nof sales"


IN_PLACE = ("job_title", "description", "owner_id")


def test_saving_a_field_in_place_as_it_is_changes_nothing(
    organisation: Organisation, odd: str, subtests: pytest.Subtests
) -> None:
    for name in IN_PLACE:
        with subtests.test(name):
            before, ben = kept(organisation, odd), organisation.browser("ben")
            address = f"/contacts/{odd}/fields/{name}"
            form = sent_by_browser(ben.get(address).text, address)
            assert ben.post(address, form).status_code == 200
            assert kept(organisation, odd) == before


def test_two_edits_of_different_fields_do_not_clash_over_line_ends(organisation: Organisation, odd: str) -> None:
    alice, ben = organisation.browser("alice"), organisation.browser("ben")
    forms = [
        sent_by_browser(person.get(f"/contacts/{odd}/edit").text, f"/contacts/{odd}/edit") for person in (alice, ben)
    ]
    assert alice.post(f"/contacts/{odd}/edit", {**forms[0], "description": "shorter"}).status_code == 303
    conflict = ben.post(f"/contacts/{odd}/edit", {**forms[1], "first_name": "Philippa"})
    assert conflict.status_code == 409 and "which one to keep?" not in conflict.text


def test_a_deactivated_owner_is_replaced_only_on_purpose(organisation: Organisation, odd: str) -> None:
    ben = organisation.browser("ben")
    page = ben.get(f"/contacts/{odd}/edit").text
    form = sent_by_browser(page, f"/contacts/{odd}/edit")
    assert form["owner_id"] and "selected>Bob</option>" in page
    assert ben.post(f"/contacts/{odd}/edit", {**form, "owner_id": ""}).status_code == 303
    with organisation.work() as session:
        assert session.get_one(Contact, UUID(odd)).owner_id is None
