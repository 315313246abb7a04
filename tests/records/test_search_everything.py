"""Search over contacts and companies: a page, and the fragment in the palette."""

from typing import Any

from tests.fixtures.world import Organisation

PALETTE = {"HX-Request": "true", "HX-Target": "palette_results"}


def test_contacts_and_companies_are_found_together(organisation: Organisation) -> None:
    contact = organisation.add_contact(first_name="Ann", last_name="Stark", email="ann@example.com")
    company = organisation.add_company("Stark Metal", domain="stark.example")
    page = organisation.browser("bob").get("/search?q=star").text
    assert f"/contacts/{contact}" in page
    assert f"/companies/{company}" in page
    assert "stark.example" in page


def test_the_palette_gets_only_the_results(organisation: Organisation, client_for: Any) -> None:
    organisation.add_contact(first_name="Ann", last_name="Stark")
    part = organisation.browser("bob").get("/search?q=ann", headers=PALETTE).text
    assert part.lstrip().startswith('<div id="palette_results"')
    assert "Ann Stark" in part
    assert "Ann Stark" not in client_for("mallory").get("/search?q=ann", headers=PALETTE).text


def test_nothing_and_signs_find_nothing(organisation: Organisation) -> None:
    organisation.add_contact(first_name="Ann")
    for typed in ("", "%", "'; reset role; --", "x" * 10_000):
        page = organisation.browser("bob").get("/search", query_string={"q": typed})
        assert page.status_code == 200
        assert "/contacts/0" not in page.text
    assert "&lt;script&gt;" in organisation.browser("bob").get("/search?q=<script>").text


def test_suggestions_are_options_to_type_back(organisation: Organisation) -> None:
    organisation.add_company("Stark Metal", domain="stark.example")
    organisation.add_contact(first_name="Ann", last_name="Stark", email="ann@example.com")
    bob = organisation.browser("bob")
    assert 'value="Stark Metal (stark.example)"' in bob.get("/companies/suggestions?company_name=sta").text
    assert 'value="Ann Stark (ann@example.com)"' in bob.get("/contacts/suggestions?q=sta").text
    assert bob.get("/companies/suggestions?company_name=").text.strip() == ""
