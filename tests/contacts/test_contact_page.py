"""A contact's page: what it shows, that looking is audited, and its companies."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from qikbiz.audit.models import AuditEvent
from qikbiz.crm.companies.models import Company
from qikbiz.crm.contacts.actions import change_contact
from qikbiz.crm.contacts.models import Contact, ContactCompany
from tests.fixtures.world import Organisation


@pytest.fixture
def ann(organisation: Organisation) -> str:
    return organisation.add_contact(
        first_name="Ann",
        last_name="Lee",
        job_title="Buyer",
        emails=[{"label": "work", "address": "ann@example.com"}, {"label": "home", "address": "lee@example.org"}],
        phones=[{"label": "mobile", "number": "+436641234567"}],
        website="https://example.com/ann",
        country="AT",
        description="first line\nsecond line",
    )


def reads(organisation: Organisation) -> int:
    with organisation.work() as session:
        return session.scalar(select(func.count()).where(AuditEvent.action == "contact.read")) or 0


@pytest.mark.promise("P6")
def test_bob_reads_everything_and_it_is_audited_once(organisation: Organisation, ann: str) -> None:
    page = organisation.browser("bob").get(f"/contacts/{ann}")
    assert "<title>Ann Lee · Contacts · Fresh</title>" in page.text
    for text in ("mailto:ann@example.com", "lee@example.org", "+43 664 1234567", "Alice</strong> created it"):
        assert text in page.text
    assert "/edit" not in page.text
    details = organisation.browser("bob").get(f"/contacts/{ann}?tab=details").text
    assert "Austria" in details
    assert "second line" in details
    assert reads(organisation) == 1
    organisation.browser("ben").get(f"/contacts/{ann}")
    assert reads(organisation) == 2


def test_an_outsider_and_a_made_up_id_find_nothing_and_read_nothing(
    organisation: Organisation, ann: str, client_for: Any
) -> None:
    assert client_for("mallory").get(f"/contacts/{ann}").status_code == 404
    assert organisation.browser("bob").get(f"/contacts/{UUID(int=5)}").status_code == 404
    assert organisation.browser("bob").get("/contacts/17").status_code == 404
    assert organisation.browser("bob").get(f"/contacts/{ann}?tab=secrets").status_code == 404
    assert reads(organisation) == 0


def test_nothing_kept_becomes_a_link_that_does_more_than_it_says(organisation: Organisation) -> None:
    with organisation.work() as session:
        strange = {
            "email": "a?bcc=b@example.com",
            "website": "javascript:alert(1)",
            "last_name": "Lee",
            "sort_name": "lee",
        }
        contact = Contact(**strange, emails=[{"label": "", "address": strange["email"]}])
        session.add(contact)
        session.flush()
        ident = contact.id
    for path in ("/contacts", f"/contacts/{ident}", f"/contacts/{ident}?tab=details"):
        page = organisation.browser("bob").get(path).text
        assert "bcc=b@example.com" in page
        assert "mailto:a?" not in page
        assert 'href="javascript' not in page


def test_the_timeline_goes_back_in_pages(organisation: Organisation, ann: str) -> None:
    with organisation.work("ben") as session:
        contact = session.get_one(Contact, UUID(ann))
        for number in range(35):
            change_contact(contact, {"department": f"Room {number}"})
    page = organisation.browser("bob").get(f"/contacts/{ann}").text
    assert page.count('class="timeline-item"') == 30
    assert "created it" not in page
    earlier = page.split('href="')[
        [part.startswith(f"/contacts/{ann}?before=") for part in page.split('href="')].index(True)
    ]
    rest = organisation.browser("bob").get(earlier.split('"')[0]).text
    assert rest.count('class="timeline-item"') == 6
    assert "created it" in rest


def test_a_contact_of_an_import_says_so(organisation: Organisation, ann: str) -> None:
    with organisation.work() as session:
        imported = Contact(last_name="Moser", sort_name="moser", created_by_import=UUID(int=9), created_by=None)
        session.add(imported)
        session.flush()
        ident = imported.id
    assert "An import</strong> created it" in organisation.browser("bob").get(f"/contacts/{ident}").text


def test_companies_are_added_with_a_role_and_one_is_primary(organisation: Organisation, ann: str) -> None:
    first, second = organisation.add_company("Umbrella"), organisation.add_company("Initech")
    ben = organisation.browser("ben")
    ben.post(f"/contacts/{ann}/companies", {"company_name": "Umbrella", "role": "Adviser"})
    ben.post(f"/contacts/{ann}/companies", {"company_name": "initech"})
    page = ben.get(f"/contacts/{ann}").text
    assert "Adviser" in page
    assert links(organisation, ann) == {first: True, second: False}
    ben.post(f"/contacts/{ann}/companies/{second}/primary")
    assert links(organisation, ann) == {first: False, second: True}
    assert "Buyer at Initech" in ben.get(f"/contacts/{ann}").text
    ben.post(f"/contacts/{ann}/companies/{second}/removal")
    assert links(organisation, ann) == {first: True}
    assert "Buyer at Umbrella" in ben.get(f"/contacts/{ann}").text
    assert "<del>Initech</del>" in ben.get(f"/contacts/{ann}").text


def test_links_refuse_wrong_roles_strangers_and_unknown_companies(
    organisation: Organisation, ann: str, client_for: Any
) -> None:
    company = organisation.add_company("Umbrella")
    path = f"/contacts/{ann}/companies"
    assert organisation.browser("bob").post(path, {"company_name": "Umbrella"}).status_code == 403
    assert client_for("mallory").post(path, {"company_name": "Umbrella"}).status_code == 404
    assert organisation.browser("ben").post(path, {"company_name": "Nowhere"}).status_code == 400
    assert organisation.browser("ben").post(path, {"company_name": ""}).status_code == 400
    assert organisation.browser("ben").post(f"{path}/{company}/primary").status_code == 404
    assert organisation.browser("ben").post(f"{path}/{company}/removal").status_code == 404
    assert links(organisation, ann) == {}


def test_two_companies_of_one_name_are_told_apart_by_domain(organisation: Organisation, ann: str) -> None:
    organisation.add_company("Umbrella", domain="umbrella.example")
    other = organisation.add_company("Umbrella", domain="umbrella.test.example")
    ben = organisation.browser("ben")
    form = {"version": "1", "first_name": "Ann", "company_name": "Umbrella"}
    answer = ben.post(f"/contacts/{ann}/edit", form)
    assert answer.status_code == 422
    assert "Several companies are called" in answer.text
    ben.post(f"/contacts/{ann}/edit", {**form, "company_name": "Umbrella (umbrella.test.example)"})
    assert links(organisation, ann) == {other: True}


def test_a_company_that_is_only_named_is_created_once(organisation: Organisation, ann: str) -> None:
    ben = organisation.browser("ben")
    ben.post(f"/contacts/{ann}/edit", {"version": "1", "first_name": "Ann", "company_name": "Brand New"})
    ben.post("/contacts", {"first_name": "Bea", "company_name": "brand new"})
    with organisation.work() as session:
        assert session.scalars(select(Company.name)).all() == ["Brand New"]
        assert session.scalars(select(Contact.company_name)).all() == ["Brand New", "Brand New"]


def links(organisation: Organisation, contact_id: str) -> dict[str, bool]:
    with organisation.work() as session:
        found = session.scalars(select(ContactCompany).where(ContactCompany.contact_id == UUID(contact_id)))
        return {str(link.company_id): link.is_primary for link in found}


def test_a_name_that_turns_the_reading_direction_turns_nothing_beside_it(organisation: Organisation) -> None:
    """An import may bring such a name in. Elements are set apart by the style sheet, a title and a toast can't be."""
    turned = organisation.add_contact(first_name="Ann & \u202eeel")
    ben = organisation.browser("ben")
    assert "<title>Ann &amp; eel · Contacts" in ben.get(f"/contacts/{turned}").text
    ben.post(f"/contacts/{turned}/deletion")
    removed = organisation.browser("alice")
    page = removed.follow(removed.post(f"/contacts/{turned}/removal", {"typed": "Ann & eel"})).text
    toast = page.partition('class="toast')[2]
    assert toast and "\u202e" not in toast
