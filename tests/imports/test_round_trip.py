"""The files that the product exports are read by it: nothing changes at home, and nothing is lost elsewhere."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from qikbiz.crm.schema.registry import RECORD_TYPES
from qikbiz.transfer.exports.selection import PORTABLE, SPREADSHEET, Selection
from qikbiz.transfer.imports import actions
from tenants.control import new_id
from tests.exports.conftest import ExportHarness, export_harness
from tests.fixtures.world import World
from tests.imports.harness import ImportHarness, csv_text

__all__ = ["export_harness"]
CONTACT: dict[str, Any] = {
    "Salutation": "Dr", "First name": "=Ann", "Middle name": "M.", "Last name": "O'Neil, Jr",
    "Job title": "Head, of\nall",
    "Emails": "work: ann@example.com; ann@home.example", "Phones": "mobile: +49 151 12345678; +49 30 901820",
    "Company": "Acme", "Department": "@home", "Stage": "Customer", "Source": "Referral", "Tags": "vip; Möbel",
    "Owner": "Alice", "Birthday": "1980-02-28", "Street": "'s-Gravelandseweg 1", "Postal code": "01067",
    "City": "Dresden", "State or region": "SN", "Country": "Germany", "Website": "https://example.com/a?b=1",
    "LinkedIn": "https://www.linkedin.com/in/ann", "X": "https://x.com/ann", "Do not call": "yes",
    "Email opt-out": "no", "Lawful basis": "Consent", "Source of legal basis": "Form, 3 May",
    "Last reviewed": "2026-05-03", "Description": "line 1\n\"line\" 2", "External ID": "A-1",
}  # fmt: skip
NO_EMAIL = {"First name": "Bo", "Last name": "Day", "Company": "Acme", "Phones": "+1 202 555 0143"}
COMPANY = {
    "Name": "Acme Labs", "Domain": "labs.example", "Website": "https://labs.example", "Email": "info@labs.example",
    "Phone": "+49 30 901821", "Type": "Customer", "Industry": "Software", "Employees": "12",
    "Annual revenue": "1234.50",
    "Revenue currency": "EUR", "Parent company": "Acme", "Owner": "Alice", "Source": "Event", "Tags": "big",
    "Street": "Hauptstr. 1", "Postal code": "01067", "City": "Dresden", "Country": "Germany", "External ID": "C-1",
}  # fmt: skip


@pytest.fixture
def desk_there(export_harness: ExportHarness, world: World, import_harness: ImportHarness) -> ImportHarness:
    """The harness of the organisation that exports; `import_harness` is another organisation's."""
    return ImportHarness(
        import_harness.app,
        export_harness.tenant,
        type(import_harness.actor)("user", export_harness.alice.id, export_harness.alice.name),
    )


def filled(import_harness: ImportHarness) -> None:
    for row in (CONTACT, NO_EMAIL):
        import_harness.bring_in(csv_text(list(row), [list(row.values())]), key="name_company")
    import_harness.bring_in(csv_text(list(COMPANY), [list(COMPANY.values())]), "companies")


def exported(export_harness: ExportHarness, scope: str, product: str) -> tuple[str, bytes]:
    made = export_harness.make(Selection(scope, product))
    name = next(one for one in export_harness.zip_of(made).namelist() if one.startswith(scope))
    return name, export_harness.zip_of(made).read(name)


def as_proposed(import_harness: ImportHarness, file: tuple[str, bytes], scope: str) -> tuple[UUID, dict[str, int]]:
    import io

    name, content = file
    with import_harness.at_work():
        import_id = actions.start_import(new_id(), scope, name, io.BytesIO(content)).id
    import_harness.choose(import_id)
    return import_id, import_harness.check(import_id)


def test_every_type_in_both_products_comes_back_without_a_change(
    export_harness: ExportHarness, desk_there: ImportHarness
) -> None:
    filled(desk_there)
    for scope in RECORD_TYPES:
        for product in (PORTABLE, SPREADSHEET):
            _, counts = as_proposed(desk_there, exported(export_harness, scope, product), scope)
            what = {name: counts[name] for name in ("created", "updated", "invalid", "skipped_rows")}
            assert what == {"created": 0, "updated": 0, "invalid": 0, "skipped_rows": 0}, (scope, product)
            assert counts["unchanged"] == 2, (scope, product)


@pytest.mark.parametrize("product", [PORTABLE, SPREADSHEET])
def test_elsewhere_every_field_labels_and_owners_are_as_they_were(
    export_harness: ExportHarness, desk_there: ImportHarness, import_harness: ImportHarness, product: str
) -> None:
    filled(desk_there)
    before = {person.first_name: person for person in desk_there.records()}["=Ann"]
    for scope in ("companies", "contacts"):
        import_id, counts = as_proposed(import_harness, exported(export_harness, scope, product), scope)
        assert (counts["created"], counts["invalid"]) == (2, 0), scope
        import_harness.apply(import_id)
    after = {person.first_name: person for person in import_harness.records()}["=Ann"]
    kept = set(before.__table__.c.keys()) - {
        "id", "company_id", "owner_id", "created_at", "updated_at", "created_by", "updated_by", "created_by_import",
        "version", "search",
    }  # fmt: skip
    assert {name: getattr(after, name) for name in kept} == {name: getattr(before, name) for name in kept}
    assert after.birthdate == date(1980, 2, 28)
    assert [entry["label"] for entry in after.emails] == ["work", ""]
    assert after.company_id == {one.name: one.id for one in import_harness.records("companies")}["Acme"]
    if product == SPREADSHEET:
        # A spreadsheet names the owner; the other organisation has an Alice of its own.
        assert after.owner_id == import_harness.actor.id
