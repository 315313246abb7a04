"""Who is who: an exact name decides, one that is only alike is proposed; invisible ends don't make another person."""

from __future__ import annotations

from pathlib import Path

import pytest

from qikbiz.crm.companies.references import company_id
from qikbiz.crm.schema.validation import FieldProblem
from qikbiz.transfer.imports.lookalikes import shown_lookalikes
from qikbiz.transfer.imports.queries import invalid_rows
from tests.imports.harness import ImportHarness, csv_text

FIXTURES = Path(__file__).parent / "fixtures"


def checked(
    import_harness: ImportHarness, content: str | bytes, type_name: str = "contacts", **choices: str
) -> tuple[object, dict[str, int]]:
    import_id = import_harness.upload(content, type_name)
    import_harness.choose(import_id, **choices)
    return import_id, import_harness.check(import_id)


def test_accents_tell_two_people_apart_and_the_likeness_is_shown(import_harness: ImportHarness) -> None:
    header = ["First name", "Last name", "Company", "Job title"]
    import_harness.bring_in(csv_text(header, [["Ana", "Peña", "Acme", "Chief"]]), key="name_company")
    import_id, counts = checked(
        import_harness,
        csv_text(header, [["Ana", "Pena", "Acme", "Cleaner"], ["ANA", "PEÑA", "acme", ""]]),
        key="name_company",
    )
    assert (counts["created"], counts["unchanged"], counts["updated"]) == (1, 0, 1)
    with import_harness.at_work():
        ((row, kind, name, _),) = shown_lookalikes(import_harness.found(import_id))
    assert (row, kind, name) == (2, "contacts", "Ana Peña")
    import_harness.apply(import_id)
    assert [person.job_title for person in import_harness.records()] == ["Chief", "Cleaner"]
    assert "similar" not in import_harness.found(import_id).counts


def test_a_contact_is_linked_to_the_company_of_exactly_that_name(import_harness: ImportHarness) -> None:
    contacts = [["A", "a1@example.com", "Dräxl & Dahl"], ["B", "b1@example.com", "Draxl & Dahl"]]
    counts = import_harness.bring_in(csv_text(["First name", "Email", "Company"], contacts))
    assert (counts["created"], counts["companies"]) == (2, 2)
    assert {company.name for company in import_harness.records("companies")} == {"Dräxl & Dahl", "Draxl & Dahl"}
    names = {person.first_name: person.company_name for person in import_harness.records()}
    assert names == {"A": "Dräxl & Dahl", "B": "Draxl & Dahl"}
    assert len({person.company_id for person in import_harness.records()}) == 2


def test_an_exact_name_wins_over_one_that_is_alike(import_harness: ImportHarness) -> None:
    companies = [["Möller GmbH", "moeller.example"], ["Moller GmbH", "moller.example"]]
    assert import_harness.bring_in(csv_text(["Name", "Domain"], companies), "companies", key="name")["created"] == 2
    import_harness.bring_in(csv_text(["Last name", "Email", "Company"], [["One", "one@example.com", "möller gmbh"]]))
    assert import_harness.only().company_name == "Möller GmbH"
    parts = csv_text(["Name", "Domain", "Parent company"], [["Labs", "labs.example", "Moller GmbH"]])
    assert import_harness.bring_in(parts, "companies")["created"] == 1
    by_name = {company.name: company for company in import_harness.records("companies")}
    assert by_name["Labs"].parent_id == by_name["Moller GmbH"].id


def test_a_new_company_that_is_like_another_is_proposed_on_the_check_page(import_harness: ImportHarness) -> None:
    import_harness.bring_in(csv_text(["Name"], [["Dräxl"]]), "companies", key="name")
    import_id, counts = checked(
        import_harness, csv_text(["Last name", "Email", "Company"], [["Lee", "l@example.com", "Draxl"]])
    )
    assert counts["created"] == 1
    with import_harness.at_work():
        assert [(row, kind, name) for row, kind, name, _ in shown_lookalikes(import_harness.found(import_id))] == [
            (2, "companies", "Dräxl")
        ]


def test_invisible_ends_make_no_second_person_or_company(
    import_harness: ImportHarness, subtests: pytest.Subtests
) -> None:
    header, row = ["First name", "Last name", "Company"], ["Ann", "Lee", "Acme"]
    import_harness.bring_in(csv_text(header, [row]), key="name_company")
    for ends in ("\u00a0", "\t", "\u200b", "\u202f ", "\ufeff", "\u3000"):
        with subtests.test(ends=ends):
            _, counts = checked(import_harness, csv_text(header, [[text + ends for text in row]]), key="name_company")
            assert counts["unchanged"] == 1
            _, counts = checked(import_harness, csv_text(["Name"], [[f"{ends}Acme"]]), "companies", key="name")
            assert counts["unchanged"] == 1


def test_companies_are_found_by_domain_else_by_name(import_harness: ImportHarness) -> None:
    contacts = [["Ann", "ann@example.com", "Acme"], ["Bo", "bo@example.com", "Beta"]]
    import_harness.bring_in(csv_text(["First name", "Email", "Company"], contacts))
    companies = csv_text(
        ["Company name", "Company Domain Name", "Industry"],
        [["Acme", "acme.example", "Software"], ["Beta", "", "Retail"]],
    )
    assert import_harness.bring_in(companies, "companies")["updated"] == 2
    assert import_harness.bring_in(companies, "companies")["unchanged"] == 2
    assert [(one.name, one.domain) for one in import_harness.records("companies")] == [
        ("Acme", "acme.example"),
        ("Beta", None),
    ]
    counts = import_harness.bring_in(csv_text(["First name", "Email", "Company"], [["Cy", "cy@example.com", "Acme"]]))
    assert (counts["created"], counts["companies"]) == (1, 0)


def test_a_company_of_that_name_with_another_domain_is_another_one_and_shown(import_harness: ImportHarness) -> None:
    header = ["Name", "Domain"]
    import_harness.bring_in(csv_text(header, [["Acme", "acme.example"]]), "companies")
    import_id, counts = checked(import_harness, csv_text(header, [["Acme", "acme.test"]]), "companies")
    assert (counts["created"], import_harness.found(import_id).counts["similar"]["rows"]) == (1, 1)
    import_harness.apply(import_id)
    import_id, counts = checked(import_harness, csv_text(header, [["Acme", ""]]), "companies")
    assert counts["invalid"] == 1
    with import_harness.at_work():
        (row,) = invalid_rows(import_id).rows
    assert row.problems[0]["reason"].startswith("2 companies have this domain or name")


def test_one_company_in_two_rows_is_written_once(import_harness: ImportHarness) -> None:
    import_harness.bring_in(csv_text(["Name", "Domain"], [["Acme", "acme.example"]]), "companies")
    _, counts = checked(
        import_harness,
        csv_text(["Name", "Domain", "City"], [["Acme", "acme.example", "Graz"], ["Acme", "", "Linz"]]),
        "companies",
    )
    assert (counts["updated"], counts["invalid"]) == (1, 1)


def test_tags_that_differ_in_accents_are_two(import_harness: ImportHarness) -> None:
    import_harness.bring_in(csv_text(["Last name", "Email", "Tags"], [["Lee", "l@example.com", "Möbel, Mobel, MÖBEL"]]))
    assert import_harness.only().tags == ["Möbel", "Mobel"]


def test_a_form_takes_the_company_of_exactly_that_name_and_proposes_one_that_is_alike(
    import_harness: ImportHarness,
) -> None:
    companies = [["Möller GmbH", "moeller.example"], ["Moller GmbH", "moller.example"], ["Dräxl", ""]]
    import_harness.bring_in(csv_text(["Name", "Domain"], companies), "companies", key="name")
    with import_harness.at_work():
        assert company_id("MOLLER gmbh") != company_id("möller gmbh")
        assert company_id("Möller GmbH (moeller.example)") == company_id("Möller GmbH")
        with pytest.raises(FieldProblem, match="no company called “Draxl”, but one called “Dräxl”"):
            company_id("Draxl")
        assert company_id("Nowhere") is None
