"""A file becomes contacts; the same file again finds them; changes are shown before they are made."""

from __future__ import annotations

from uuid import UUID

import pytest

from qikbiz.crm.schema.registry import RECORD_TYPES
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import Conflict
from qikbiz.transfer.imports.job_steps import ChangedSince
from qikbiz.transfer.imports.queries import invalid_rows, skipped_cells, updates
from tests.imports.harness import ImportHarness, csv_text

HEADER = ["First name", "Last name", "Email", "Phone", "Company", "City", "Country", "Tags"]
ANN = ["Ann", "Lee", "Ann@Example.com", "+49 30 1234567", "Acme", "Graz", "Austria", "vip, new"]
BO = ["Bo", "Chen", "bo@example.com", "+1 202 555 0143", "ACME", "Berlin", "DE", ""]


def test_new_people_become_contacts_with_their_company(import_harness: ImportHarness) -> None:
    counts = import_harness.bring_in(csv_text(HEADER, [ANN, BO]))
    assert (counts["created"], counts["companies"]) == (2, 1)
    bo, ann = import_harness.records()
    assert (ann.first_name, ann.email, ann.phone, ann.country) == ("Ann", "ann@example.com", "+49301234567", "AT")
    assert ann.emails == [{"label": "", "address": "ann@example.com"}]
    assert ann.tags == ["vip", "new"]
    assert ann.company_id == bo.company_id == import_harness.only("companies").id
    assert bo.company_name == "Acme"
    assert ann.sort_name == "lee, ann"


def test_the_same_people_again_are_unchanged(import_harness: ImportHarness) -> None:
    import_harness.bring_in(csv_text(HEADER, [ANN, BO]))
    counts = import_harness.bring_in(csv_text(HEADER, [BO, ANN]))
    assert (counts["created"], counts["updated"], counts["unchanged"]) == (0, 0, 2)


def test_a_changed_value_is_shown_old_and_new_before_it_is_written(import_harness: ImportHarness) -> None:
    import_harness.bring_in(csv_text(HEADER, [ANN, BO]))
    moved = [*ANN[:5], "Linz", *ANN[6:]]
    import_id = import_harness.upload(csv_text(HEADER, [moved, BO]))
    import_harness.choose(import_id)
    counts = import_harness.check(import_id)
    assert (counts["updated"], counts["unchanged"]) == (1, 1)
    with import_harness.at_work():
        (update,) = updates(import_id, RECORD_TYPES["contacts"]).rows
    assert (update.subject, update.changes) == ("Ann Lee", {"city": ["Graz", "Linz"]})
    assert import_harness.records()[1].city == "Graz"
    import_harness.apply(import_id)
    ann = import_harness.records()[1]
    assert (ann.city, ann.version) == ("Linz", 2)


def test_an_empty_cell_erases_nothing(import_harness: ImportHarness) -> None:
    import_harness.bring_in(csv_text(HEADER, [ANN]))
    counts = import_harness.bring_in(csv_text(HEADER, [["", "", "ann@example.com", "", "", "", "", ""]]))
    assert counts["unchanged"] == 1


def test_bad_values_are_named_with_row_column_value_and_remedy(import_harness: ImportHarness) -> None:
    import_id = import_harness.upload(csv_text(HEADER, [ANN, ["Cy", "", "no address", "123", "", "", "Atlantis", ""]]))
    import_harness.choose(import_id)
    counts = import_harness.check(import_id)
    assert (counts["created"], counts["invalid"]) == (1, 1)
    with import_harness.at_work():
        (row,) = invalid_rows(import_id).rows
    assert row.row == 3
    assert [problem["column"] for problem in row.problems] == ["Country", "Email", "Phone"]
    assert row.problems[1]["value"] == "no address"
    assert all(problem["how_to_fix"] for problem in row.problems)


def test_the_second_row_with_the_same_address_is_refused_and_names_the_first(import_harness: ImportHarness) -> None:
    import_id = import_harness.upload(csv_text(HEADER, [ANN, ["Anna", *ANN[1:]]]))
    import_harness.choose(import_id)
    assert import_harness.check(import_id)["invalid"] == 1
    with import_harness.at_work():
        (row,) = invalid_rows(import_id).rows
    assert row.problems[0]["reason"] == "Row 2 has the same Email."


@pytest.mark.parametrize(
    ("mode", "created", "updated", "invalid"), [("create", 1, 0, 1), ("update", 0, 1, 1), ("upsert", 1, 1, 0)]
)
@pytest.mark.parametrize("key", ["email", "external_id", "id", "name_company"])
def test_each_key_finds_and_each_mode_does_only_what_it_says(
    import_harness: ImportHarness, key: str, mode: str, created: int, updated: int, invalid: int
) -> None:
    header = ["First name", "Last name", "Email", "External ID", "Company", "City", "Record ID"]
    import_harness.bring_in(csv_text(header[:6], [["Ann", "Lee", "ann@example.com", "A1", "Acme", "Graz"]]))
    ann = import_harness.only()
    known = ["Ann", "Lee", "ann@example.com", "A1", "Acme", "Linz", str(ann.id)]
    new = ["Cy", "Fox", "cy@example.com", "C1", "Acme", "Rom", ""]
    counts = import_harness.bring_in(csv_text(header, [known, new]), key=key, mode=mode)
    assert (counts["created"], counts["updated"], counts["invalid"]) == (created, updated, invalid)
    assert {record.city for record in import_harness.records()} == {"Linz" if updated else "Graz"} | (
        {"Rom"} if created else set()
    )


def test_a_further_address_finds_the_person_too_and_stays_where_it_is(import_harness: ImportHarness) -> None:
    header = ["Email - Work", "Email - Home", "Last name", "City"]
    import_harness.bring_in(csv_text(header, [["ann@work.example", "ann@home.example", "Lee", "Graz"]]))
    counts = import_harness.bring_in(csv_text(["Email", "City"], [["ann@home.example", "Linz"]]))
    assert counts["updated"] == 1
    ann = import_harness.only()
    assert (ann.email, ann.other_emails, ann.city) == ("ann@work.example", ["ann@home.example"], "Linz")
    assert [entry["label"] for entry in ann.emails] == ["work", "home"]


def test_two_people_with_one_address_make_the_row_ambiguous(import_harness: ImportHarness) -> None:
    for name in ("Lee", "Fox"):
        import_harness.bring_in(
            csv_text(["Last name", "Email", "External ID"], [[name, "office@example.com", name]]), key="external_id"
        )
    import_id = import_harness.upload(csv_text(["Email", "City"], [["office@example.com", "Linz"]]))
    import_harness.choose(import_id)
    assert import_harness.check(import_id)["invalid"] == 1
    with import_harness.at_work():
        (row,) = invalid_rows(import_id).rows
    assert row.problems[0]["reason"].startswith("2 contacts have this Email")


def test_what_changed_since_the_check_stops_the_import_whole(import_harness: ImportHarness) -> None:
    import_harness.bring_in(csv_text(HEADER, [ANN]))
    import_id = import_harness.upload(csv_text(HEADER, [[*ANN[:5], "Linz", *ANN[6:]], BO]))
    import_harness.choose(import_id)
    import_harness.check(import_id)
    with import_harness.at_work() as session:
        ann = session.get(type(import_harness.only()), import_harness.only().id)
        ann.city, ann.version = "Wels", 2
    with pytest.raises(ChangedSince, match="rows 2"):
        import_harness.apply(import_id)
    assert import_harness.only().city == "Wels"
    assert import_harness.check(import_id)["updated"] == 1
    import_harness.apply(import_id)
    assert [record.city for record in import_harness.records()] == ["Berlin", "Linz"]


def test_somebody_else_adding_the_same_person_meanwhile_stops_it_too(import_harness: ImportHarness) -> None:
    first, second = import_harness.upload(csv_text(HEADER, [ANN])), import_harness.upload(csv_text(HEADER, [ANN, BO]))
    for import_id in (first, second):
        import_harness.choose(import_id)
        import_harness.check(import_id)
    import_harness.apply(first)
    with pytest.raises(ChangedSince):
        import_harness.apply(second)
    assert len(import_harness.records()) == 1


def test_applying_twice_imports_once(import_harness: ImportHarness) -> None:
    import_id = import_harness.upload(csv_text(HEADER, [ANN]))
    import_harness.choose(import_id)
    import_harness.check(import_id)
    import_harness.apply(import_id)
    with import_harness.at_work():
        from qikbiz.transfer.imports import actions
        from qikbiz.transfer.imports.queries import import_for_changing

        actions.ask_apply(import_for_changing(import_id))
    assert len(import_harness.records()) == 1


def test_nothing_is_applied_before_it_was_checked(import_harness: ImportHarness) -> None:
    import_id = import_harness.upload(csv_text(HEADER, [ANN]))
    import_harness.choose(import_id)
    with pytest.raises(Conflict, match="Check the file first"):
        import_harness.apply(import_id)


def test_a_double_click_on_upload_makes_one_import(import_harness: ImportHarness) -> None:
    from tenants.control import new_id

    token: UUID = new_id()
    assert import_harness.upload(csv_text(HEADER, [ANN]), import_id=token) == import_harness.upload(
        csv_text(HEADER, [ANN]), import_id=token
    )


def test_history_and_audit_say_that_it_was_an_import(import_harness: ImportHarness) -> None:
    from sqlalchemy import select

    from qikbiz.audit.models import AuditEvent, RecordChange

    import_harness.bring_in(csv_text(HEADER, [ANN]))
    import_harness.bring_in(csv_text(HEADER, [[*ANN[:4], "Globex", "Linz", *ANN[6:]]]))
    ann = import_harness.only()
    with import_harness.at_work():
        change = db.session.scalars(select(RecordChange).where(RecordChange.record_id == ann.id)).one()
        actions = set(db.session.scalars(select(AuditEvent.action)))
    assert (change.kind, change.source, change.actor_name) == ("changed", "import", "Alice")
    assert change.changes["city"] == ["Graz", "Linz"]
    assert change.changes["company_id"][1] == str(ann.company_id)
    assert {"import.checked", "import.applied"} <= actions


def test_bytes_that_no_text_holds_are_skipped_and_nothing_else(import_harness: ImportHarness) -> None:
    content = (
        b"Last name,Email,Ci\x00ty\nJos\xe9,jose@example.com,\nLee\x00,lee@example.com,\nFox,fox@example.com,Graz\n"
    )
    import_id = import_harness.upload(content)
    with import_harness.at_work():
        from qikbiz.transfer.imports import actions
        from qikbiz.transfer.imports.queries import import_for_changing

        actions.choose_format(import_for_changing(import_id), encoding="utf-8", delimiter=",", has_header=True)
    import_harness.choose(import_id)
    counts = import_harness.check(import_id)
    assert (counts["created"], counts["skipped_cells"]) == (3, 2)
    with import_harness.at_work():
        rows = skipped_cells(import_id).rows
    assert [row.problems[0]["reason"] for row in rows] == [
        "It contains bytes that are not UTF-8.",
        "It contains a control character that can't be shown.",
    ]


def test_formulas_are_kept_to_the_character(import_harness: ImportHarness) -> None:
    values = ["=cmd|' /C calc'!A0", "+49 x", "-5", "@x", "\uff1d1", "'quoted"]
    import_harness.bring_in(
        csv_text(["Last name", "Email"], [[text, f"a{n}@example.com"] for n, text in enumerate(values)])
    )
    assert {record.last_name for record in import_harness.records()} == set(values)


def test_companies_are_imported_with_their_parents(import_harness: ImportHarness) -> None:
    header = ["Name", "Domain", "Employees", "Annual revenue", "Currency"]
    counts = import_harness.bring_in(
        csv_text(header, [["Acme", "https://www.acme.example/x", "12", "1,234.50", "eur"]]), "companies"
    )
    assert counts["created"] == 1
    acme = import_harness.only("companies")
    assert (acme.domain, acme.number_of_employees, str(acme.annual_revenue)) == ("acme.example", 12, "1234.50")
    part = csv_text(
        ["Name", "Domain", "Parent company"],
        [["Acme Labs", "labs.example", "ACME"], ["Lost", "lost.example", "Nowhere"]],
    )
    counts = import_harness.bring_in(part, "companies")
    assert (counts["created"], counts["invalid"], counts["skipped_cells"]) == (2, 0, 1)
    parents = {company.name: company.parent_id for company in import_harness.records("companies")}
    assert parents == {"Acme": None, "Acme Labs": acme.id, "Lost": None}
    assert import_harness.bring_in(part, "companies", key="name")["unchanged"] == 2


def test_owners_are_found_by_address_within_the_organisation(import_harness: ImportHarness) -> None:
    header = ["Last name", "Email", "Owner email"]
    rows = [
        ["Lee", "lee@example.com", f"ALICE@{import_harness.tenant.slug}.example.com"],
        ["Fox", "fox@example.com", "mallory@globex.example.com"],
    ]
    counts = import_harness.bring_in(csv_text(header, rows))
    assert (counts["created"], counts["skipped_cells"]) == (2, 1)
    assert [record.owner_id for record in import_harness.records()] == [None, import_harness.actor.id]


def test_several_companies_of_one_name_leave_the_cell_out_and_keep_the_row(import_harness: ImportHarness) -> None:
    import_harness.bring_in(csv_text(["Name", "Domain"], [["Acme", "a.example"], ["Acme", "b.example"]]), "companies")
    counts = import_harness.bring_in(
        csv_text(["Last name", "Email", "Company"], [["Lee", "lee@example.com", "acme"], ["Fox", "f@example.com", ""]])
    )
    assert (counts["created"], counts["invalid"], counts["skipped_cells"]) == (2, 0, 1)


@pytest.mark.parametrize("company", ["", "y" * 201], ids=["empty", "skipped"])
def test_a_row_without_a_company_leaves_the_contact_linked_to_its_own(
    import_harness: ImportHarness, company: str
) -> None:
    header = ["First name", "Email", "Company", "City"]
    import_harness.bring_in(csv_text(header, [["Ann", "ann@example.com", "Acme", "Graz"]]), key="email")
    linked = import_harness.only().company_id
    assert linked is not None
    import_harness.bring_in(csv_text(header, [["Ann", "ann@example.com", company, "Linz"]]), key="email")
    ann = import_harness.only()
    assert (ann.company_name, ann.company_id, ann.city) == ("Acme", linked, "Linz")


def test_a_row_without_a_parent_leaves_the_company_a_part_of_its_own(import_harness: ImportHarness) -> None:
    header = ["Name", "Domain", "Parent company", "City"]
    import_harness.bring_in(csv_text(header, [["Zenith", "zenith.example", "", ""]]), "companies", key="domain")
    for city in ("Graz", "Linz"):
        parent = "Zenith" if city == "Graz" else ""
        rows = [["Acme", "acme.example", parent, city]]
        import_harness.bring_in(csv_text(header, rows), "companies", key="domain")
    acme, zenith = import_harness.records("companies")
    assert (acme.parent_id, acme.billing_city) == (zenith.id, "Linz")
