"""A contact's page: what it shows, that looking is audited, and its companies."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from qikbiz.audit.models import AuditEvent
from qikbiz.crm.companies.models import Company
from qikbiz.crm.contacts.actions import change_contact
from qikbiz.crm.contacts.models import Contact, ContactCompany
from tests.fixtures.records import Workspace


@pytest.fixture
def ann(workspace: Workspace) -> str:
    return workspace.add_contact(
        first_name="Ann",
        last_name="Lee",
        job_title="Buyer",
        emails=[{"label": "work", "address": "ann@example.com"}, {"label": "home", "address": "lee@example.org"}],
        phones=[{"label": "mobile", "number": "+436641234567"}],
        website="https://example.com/ann",
        country="AT",
        description="first line\nsecond line",
    )


def reads(workspace: Workspace) -> int:
    with workspace.work() as session:
        return session.scalar(select(func.count()).where(AuditEvent.action == "contact.read")) or 0


@pytest.mark.promise("P6")
def test_bob_reads_everything_and_it_is_audited_once(workspace: Workspace, ann: str) -> None:
    page = workspace.browser("bob").get(f"/contacts/{ann}")
    assert "<title>Ann Lee · Contacts · Fresh</title>" in page.text
    for text in ("mailto:ann@example.com", "lee@example.org", "+43 664 1234567", "Alice</strong> created it"):
        assert text in page.text
    assert "/edit" not in page.text
    details = workspace.browser("bob").get(f"/contacts/{ann}?tab=details").text
    assert "Austria" in details
    assert "second line" in details
    assert reads(workspace) == 1
    workspace.browser("ben").get(f"/contacts/{ann}")
    assert reads(workspace) == 2


def test_an_outsider_and_a_made_up_id_find_nothing_and_read_nothing(
    workspace: Workspace, ann: str, client_for: Any
) -> None:
    assert client_for("mallory").get(f"/contacts/{ann}").status_code == 404
    assert workspace.browser("bob").get(f"/contacts/{UUID(int=5)}").status_code == 404
    assert workspace.browser("bob").get("/contacts/17").status_code == 404
    assert workspace.browser("bob").get(f"/contacts/{ann}?tab=secrets").status_code == 404
    assert reads(workspace) == 0


def test_nothing_kept_becomes_a_link_that_does_more_than_it_says(workspace: Workspace) -> None:
    with workspace.work() as session:
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
        page = workspace.browser("bob").get(path).text
        assert "bcc=b@example.com" in page
        assert "mailto:a?" not in page
        assert 'href="javascript' not in page


def test_the_timeline_goes_back_in_pages(workspace: Workspace, ann: str) -> None:
    with workspace.work("ben") as session:
        contact = session.get_one(Contact, UUID(ann))
        for number in range(35):
            change_contact(contact, {"department": f"Room {number}"})
    page = workspace.browser("bob").get(f"/contacts/{ann}").text
    assert page.count('class="timeline-item"') == 30
    assert "created it" not in page
    earlier = page.split('href="')[
        [part.startswith(f"/contacts/{ann}?before=") for part in page.split('href="')].index(True)
    ]
    rest = workspace.browser("bob").get(earlier.split('"')[0]).text
    assert rest.count('class="timeline-item"') == 6
    assert "created it" in rest


def test_a_contact_of_an_import_says_so(workspace: Workspace, ann: str) -> None:
    with workspace.work() as session:
        imported = Contact(last_name="Moser", sort_name="moser", created_by_import=UUID(int=9), created_by=None)
        session.add(imported)
        session.flush()
        ident = imported.id
    assert "An import</strong> created it" in workspace.browser("bob").get(f"/contacts/{ident}").text


def test_companies_are_added_with_a_role_and_one_is_primary(workspace: Workspace, ann: str) -> None:
    first, second = workspace.add_company("Umbrella"), workspace.add_company("Initech")
    ben = workspace.browser("ben")
    ben.post(f"/contacts/{ann}/companies", {"company_name": "Umbrella", "role": "Adviser"})
    ben.post(f"/contacts/{ann}/companies", {"company_name": "initech"})
    page = ben.get(f"/contacts/{ann}").text
    assert "Adviser" in page
    assert links(workspace, ann) == {first: True, second: False}
    ben.post(f"/contacts/{ann}/companies/{second}/primary")
    assert links(workspace, ann) == {first: False, second: True}
    assert "Buyer at Initech" in ben.get(f"/contacts/{ann}").text
    ben.post(f"/contacts/{ann}/companies/{second}/removal")
    assert links(workspace, ann) == {first: True}
    assert "Buyer at Umbrella" in ben.get(f"/contacts/{ann}").text
    assert "<del>Initech</del>" in ben.get(f"/contacts/{ann}").text


def test_links_refuse_wrong_roles_strangers_and_unknown_companies(
    workspace: Workspace, ann: str, client_for: Any
) -> None:
    company = workspace.add_company("Umbrella")
    path = f"/contacts/{ann}/companies"
    assert workspace.browser("bob").post(path, {"company_name": "Umbrella"}).status_code == 403
    assert client_for("mallory").post(path, {"company_name": "Umbrella"}).status_code == 404
    assert workspace.browser("ben").post(path, {"company_name": "Nowhere"}).status_code == 400
    assert workspace.browser("ben").post(path, {"company_name": ""}).status_code == 400
    assert workspace.browser("ben").post(f"{path}/{company}/primary").status_code == 404
    assert workspace.browser("ben").post(f"{path}/{company}/removal").status_code == 404
    assert links(workspace, ann) == {}


def test_two_companies_of_one_name_are_told_apart_by_domain(workspace: Workspace, ann: str) -> None:
    workspace.add_company("Umbrella", domain="umbrella.example")
    other = workspace.add_company("Umbrella", domain="umbrella.test.example")
    ben = workspace.browser("ben")
    form = {"version": "1", "first_name": "Ann", "company_name": "Umbrella"}
    answer = ben.post(f"/contacts/{ann}/edit", form)
    assert answer.status_code == 422
    assert "Several companies are called" in answer.text
    ben.post(f"/contacts/{ann}/edit", {**form, "company_name": "Umbrella (umbrella.test.example)"})
    assert links(workspace, ann) == {other: True}


def test_a_company_that_is_only_named_is_created_once(workspace: Workspace, ann: str) -> None:
    ben = workspace.browser("ben")
    ben.post(f"/contacts/{ann}/edit", {"version": "1", "first_name": "Ann", "company_name": "Brand New"})
    ben.post("/contacts", {"first_name": "Bea", "company_name": "brand new"})
    with workspace.work() as session:
        assert session.scalars(select(Company.name)).all() == ["Brand New"]
        assert session.scalars(select(Contact.company_name)).all() == ["Brand New", "Brand New"]


def links(workspace: Workspace, contact_id: str) -> dict[str, bool]:
    with workspace.work() as session:
        found = session.scalars(select(ContactCompany).where(ContactCompany.contact_id == UUID(contact_id)))
        return {str(link.company_id): link.is_primary for link in found}


def test_a_name_that_turns_the_reading_direction_turns_nothing_beside_it(workspace: Workspace) -> None:
    """An import may bring such a name in. Elements are set apart by the style sheet, a title and a toast can't be."""
    turned = workspace.add_contact(first_name="Ann & \u202eeel")
    ben = workspace.browser("ben")
    assert "<title>Ann &amp; eel · Contacts" in ben.get(f"/contacts/{turned}").text
    ben.post(f"/contacts/{turned}/deletion")
    removed = workspace.browser("alice")
    page = removed.follow(removed.post(f"/contacts/{turned}/removal", {"typed": "Ann & eel"})).text
    toast = page.partition('class="toast')[2]
    assert toast and "\u202e" not in toast
