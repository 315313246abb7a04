"""Companies: list, page, form, and what their name is on contacts."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from qikbiz.crm.companies.models import Company
from qikbiz.crm.contacts.models import Contact
from tests.fixtures.world import Organisation


def company(organisation: Organisation, ident: str) -> Company:
    with organisation.work() as session:
        return session.get_one(Company, UUID(ident))


def test_ben_creates_a_company(organisation: Organisation) -> None:
    ben = organisation.browser("ben")
    assert "New company" in ben.get("/companies/new").text
    form = {
        "name": "Umbrella Optics",
        "website": "www.Umbrella.example/about",
        "number_of_employees": "1,200",
        "annual_revenue": "1,234,567.80",
        "annual_revenue_currency": "eur",
        "industry": "electronics",
        "billing_country": "AT",
        "phone": "01 6012345",
    }
    page = ben.follow(ben.post("/companies", form))
    assert page.status_code == 200
    assert "Umbrella Optics" in page.text
    with organisation.work() as session:
        made = session.scalars(select(Company)).one()
    assert (made.domain, made.website) == ("umbrella.example", "https://www.umbrella.example/about")
    assert (made.number_of_employees, str(made.annual_revenue), made.annual_revenue_currency) == (
        1200,
        "1234567.80",
        "EUR",
    )
    assert (made.industry, made.phone, made.sort_name) == ("Electronics", "+4316012345", "umbrella optics")


def test_a_company_needs_a_name_and_sensible_figures(organisation: Organisation) -> None:
    wrong = {"name": " ", "annual_revenue": "lots", "website": "javascript:alert(1)", "parent_id": "Nowhere"}
    answer = organisation.browser("ben").post("/companies", wrong)
    assert answer.status_code == 422
    for text in ("Name is missing", "is not a number", "is not a web address", "There is no company called"):
        assert text in answer.text


def test_wrong_role_and_other_tenant(organisation: Organisation, client_for: Any) -> None:
    ident = organisation.add_company("Umbrella")
    assert organisation.browser("bob").get(f"/companies/{ident}").status_code == 200
    assert organisation.browser("bob").get("/companies/new").status_code == 403
    assert organisation.browser("bob").post("/companies", {"name": "X"}).status_code == 403
    assert organisation.browser("bob").post(f"/companies/{ident}/deletion").status_code == 403
    for path in (f"/companies/{ident}", f"/companies/{ident}/edit", f"/companies/{ident}/fields/type"):
        assert client_for("mallory").get(path).status_code == 404
    assert "Umbrella" not in client_for("mallory").get("/companies/suggestions?q=umb").text
    assert organisation.browser("ben").post("/companies", {"name": "X", "tenant_id": "1"}).status_code == 400


def test_a_new_name_is_written_to_its_contacts(organisation: Organisation) -> None:
    ident = organisation.add_company("Umbrella")
    contact = organisation.add_contact(last_name="Lee", company_name="Umbrella", company_id=UUID(ident))
    page = organisation.browser("bob").get(f"/companies/{ident}").text
    assert "Lee" in page
    answer = organisation.browser("ben").post(f"/companies/{ident}/edit", {"version": "1", "name": "Umbrella Optics"})
    assert answer.status_code == 303
    with organisation.work() as session:
        found = session.get_one(Contact, UUID(contact))
        assert (found.company_name, found.version) == ("Umbrella Optics", 1)
    assert "Lee" in organisation.browser("bob").get("/contacts?q=optics").text


def test_a_company_is_part_of_another_but_not_of_itself(organisation: Organisation) -> None:
    parent, child = organisation.add_company("Holding", domain="holding.example"), organisation.add_company("Umbrella")
    form = {"version": "1", "name": "Umbrella", "parent_id": "Holding (holding.example)"}
    assert organisation.browser("ben").post(f"/companies/{child}/edit", form).status_code == 303
    assert str(company(organisation, child).parent_id) == parent
    assert "Holding" in organisation.browser("ben").get(f"/companies/{child}?tab=details").text
    assert 'value="Holding (holding.example)"' in organisation.browser("ben").get(f"/companies/{child}/edit").text
    itself = {**form, "version": "2", "parent_id": "Umbrella"}
    assert organisation.browser("ben").post(f"/companies/{child}/edit", itself).status_code == 422


def test_a_deleted_company_leaves_lists_and_comes_back(organisation: Organisation) -> None:
    ident = organisation.add_company("Umbrella")
    organisation.add_contact(last_name="Lee", company_name="Umbrella", company_id=UUID(ident))
    ben = organisation.browser("ben")
    assert "moved to the trash" in ben.follow(ben.post(f"/companies/{ident}/deletion")).text
    assert "No companies yet" in ben.get("/companies").text
    assert "Umbrella" in ben.get("/companies/trash").text
    ben.post(f"/companies/restorations?ids={UUID(ident).hex}")
    assert company(organisation, ident).deleted_at is None


def test_a_removed_company_leaves_its_contacts(organisation: Organisation) -> None:
    ident = organisation.add_company("Umbrella")
    contact = organisation.add_contact(last_name="Lee", company_name="Umbrella", company_id=UUID(ident))
    alice = organisation.browser("alice")
    alice.post(f"/companies/{ident}/deletion")
    assert alice.post(f"/companies/{ident}/removal", {"typed": "Umbrella"}).status_code == 303
    assert alice.get(f"/contacts/{contact}").status_code == 200
    with organisation.work() as session:
        assert session.get_one(Contact, UUID(contact)).company_id is None


def test_the_list_sorts_filters_and_links(organisation: Organisation) -> None:
    organisation.add_company("beta", industry="Software", type="Customer", billing_country="AT")
    organisation.add_company("Alpha", domain="alpha.example")
    bob = organisation.browser("bob")
    page = bob.get("/companies").text
    assert page.index("Alpha") < page.index('title="beta"')
    assert "Alpha" not in bob.get("/companies?industry=Software").text
    assert "beta" not in bob.get("/companies?domain=ALPHA").text
    assert bob.get("/companies?sort=industry").status_code == 400


def test_two_editors_of_a_company(organisation: Organisation) -> None:
    ident = organisation.add_company("Umbrella", industry="Retail")
    form = {"version": "1", "name": "Umbrella"}
    organisation.browser("alice").post(f"/companies/{ident}/edit", {**form, "industry": "Software"})
    conflict = organisation.browser("ben").post(f"/companies/{ident}/edit", {**form, "industry": "Legal"})
    assert conflict.status_code == 409
    assert "Alice saved changes" in conflict.text
    assert company(organisation, ident).industry == "Software"
