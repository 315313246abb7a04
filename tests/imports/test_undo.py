"""A whole import is undone: what it made goes, what it changed returns, what was edited since stays, named."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import select

from qikbiz.audit.models import AuditEvent, RecordChange
from qikbiz.crm.companies.fields import COMPANIES
from qikbiz.crm.companies.models import Company
from qikbiz.crm.contacts.fields import CONTACTS
from qikbiz.crm.contacts.models import Contact, ContactCompany
from qikbiz.crm.records.actions import change_record, restore_records
from qikbiz.crm.schema.registry import record_type
from qikbiz.kernel.actors import Actor
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import Conflict
from qikbiz.transfer.imports import actions
from qikbiz.transfer.imports.job_steps import by_whoever_asks, run_undo
from qikbiz.transfer.imports.queries import import_for_changing, import_for_reading
from qikbiz.transfer.imports.sql import link_of
from qikbiz.transfer.imports.undo_page import named_records
from qikbiz.transfer.imports.undo_rules import Preview, preview
from tests.fixtures.people import Person
from tests.fixtures.web import Browser
from tests.imports.harness import ImportHarness, csv_text, unwatched

HEADER = ["First name", "Last name", "Email", "Phone", "Company", "City", "Tags", "Birthday"]
ANN = ["Ann", "Lee", "ann@example.com", "+49 30 1234567", "Acme", "Graz", "vip", "1980-02-03"]
BO = ["Bo", "Chen", "bo@example.com", "", "Globex", "Berlin", "", ""]


def imported(import_harness: ImportHarness, rows: list[list[str]]) -> UUID:
    import_id = import_harness.upload(csv_text(HEADER, rows))
    import_harness.choose(import_id)
    import_harness.check(import_id)
    import_harness.apply(import_id)
    return import_id


def columns_of(import_harness: ImportHarness) -> list[dict[str, object]]:
    left = {"version", "updated_at", "updated_by"}
    return [
        {
            column.name: getattr(record, column.name)
            for column in Contact.__table__.c
            if column.name not in left | {"search"}
        }
        for record in import_harness.records()
    ]


def links(import_harness: ImportHarness) -> list[tuple[UUID, UUID, bool]]:
    with import_harness.at_work():
        found = select(ContactCompany.contact_id, ContactCompany.company_id, ContactCompany.is_primary)
        return sorted((row[0], row[1], row[2]) for row in db.session.execute(found))


def kept(import_harness: ImportHarness, import_id: UUID) -> set[tuple[str, str]]:
    with import_harness.at_work():
        found = import_for_reading(import_id)
        return {(one.name, one.reason) for one in named_records(found, found.undo_counts["kept_records"])}


def edit_everybody(import_harness: ImportHarness, **values: str) -> None:
    with import_harness.at_work() as session:
        for contact in session.scalars(select(Contact).with_for_update()):
            change_record(CONTACTS, contact, values or {"job_title": "Chief"})


def planned(import_harness: ImportHarness, import_id: UUID) -> Preview:
    with import_harness.at_work() as session:
        found = import_for_reading(import_id)
        return preview(link_of(session), record_type(found.record_type), by_whoever_asks(found))


def whole(import_harness: ImportHarness) -> tuple[object, ...]:
    """Everything that an import can change, to the last column."""
    companies = [
        (company.id, company.name, company.domain, company.industry) for company in import_harness.records("companies")
    ]
    return columns_of(import_harness), links(import_harness), companies


def test_what_was_created_goes_with_its_companies_and_links(import_harness: ImportHarness) -> None:
    import_id = imported(import_harness, [ANN, BO])
    done = import_harness.undo(import_id)
    assert (done["reversed"], done["kept"], done["failed"]) == (2, 0, 0)
    assert (import_harness.records(), import_harness.records("companies"), links(import_harness)) == ([], [], [])
    with import_harness.at_work():
        assert "import.undone" in set(db.session.scalars(select(AuditEvent.action)))


def test_what_was_changed_is_as_before_to_the_last_column(import_harness: ImportHarness) -> None:
    imported(import_harness, [ANN])
    before, linked = columns_of(import_harness), links(import_harness)
    changed = ["Anna", "Fox", "ann@example.com", "+1 202 555 0143", "Globex", "Linz", "new", "1981-01-01"]
    second = imported(import_harness, [changed])
    assert columns_of(import_harness) != before
    assert import_harness.only().phone == "+12025550143"
    done = import_harness.undo(second)
    assert (done["reversed"], done["kept"]) == (1, 0)
    assert columns_of(import_harness) == before
    assert links(import_harness) == linked
    assert [company.name for company in import_harness.records("companies")] == ["Acme"]
    with import_harness.at_work():
        sources = db.session.scalars(select(RecordChange.source).order_by(RecordChange.id)).all()
    assert list(sources) == ["import", "undo"]


def test_what_was_edited_since_is_kept_and_named(import_harness: ImportHarness) -> None:
    imported(import_harness, [BO])
    import_id = imported(import_harness, [ANN, [*BO[:5], "Wien", "", ""]])
    edit_everybody(import_harness)
    done = import_harness.undo(import_id)
    assert (done["reversed"], done["kept"], done["failed"]) == (0, 2, 0)
    assert kept(import_harness, import_id) == {("Ann Lee", "edited since"), ("Bo Chen", "edited since")}
    # Nothing was undone, so the import still stands.
    assert import_harness.found(import_id).state == "applied"
    assert [record.city for record in import_harness.records()] == ["Wien", "Graz"]


def test_a_record_that_is_gone_meanwhile_is_counted_as_failed(import_harness: ImportHarness) -> None:
    imported(import_harness, [BO])
    import_id = imported(import_harness, [[*BO[:5], "Wien", "", ""]])
    with import_harness.at_work() as session:
        session.delete(session.scalars(select(Contact)).one())
    assert import_harness.undo(import_id)["failed"] == 1


def test_only_an_applied_import_can_be_undone_and_only_once(import_harness: ImportHarness) -> None:
    import_id = import_harness.upload(csv_text(HEADER, [ANN]))
    import_harness.choose(import_id)
    with pytest.raises(Conflict):
        import_harness.undo(import_id)
    import_id = imported(import_harness, [ANN])
    assert import_harness.undo(import_id)["reversed"] == 1
    assert import_harness.undo(import_id)["reversed"] == 1
    assert import_harness.found(import_id).state == "undone"


def test_an_undone_file_may_be_imported_again(import_harness: ImportHarness) -> None:
    import_harness.undo(imported(import_harness, [ANN]))
    assert len(import_harness.records()) == 0
    imported(import_harness, [ANN])
    assert import_harness.only().email == "ann@example.com"


def test_whoever_undoes_is_named_not_whoever_imported(
    import_harness: ImportHarness, add_person: Callable[..., Person]
) -> None:
    import_id = imported(import_harness, [ANN])
    ben = add_person(import_harness.tenant, "Ben", "member")
    alice, import_harness.actor = import_harness.actor, Actor("user", ben.id, "Ben")
    import_harness.undo(import_id)
    with import_harness.at_work():
        events = db.session.execute(select(AuditEvent.action, AuditEvent.actor_name).order_by(AuditEvent.id)).all()
    assert [tuple(event) for event in events if event.action.startswith("import.")] == [
        ("import.uploaded", alice.name),
        ("import.checked", alice.name),
        ("import.apply_asked", alice.name),
        ("import.applied", alice.name),
        ("import.undo_asked", "Ben"),
        ("import.undone", "Ben"),
    ]


def test_imports_undone_in_reverse_order_take_everything_back(import_harness: ImportHarness) -> None:
    """Created, updated and updated again: neither a later import nor its undoing is an edit by a person."""
    states, done = [whole(import_harness)], []
    for rows in ([ANN, BO], [[*ANN[:5], "Linz", *ANN[6:]], BO], [["Anna", *ANN[1:4], "Umbrella", *ANN[5:]], BO]):
        done.append(imported(import_harness, rows))
        states.append(whole(import_harness))
    for import_id in reversed(done):
        states.pop()
        counted = planned(import_harness, import_id)
        undone = import_harness.undo(import_id)
        assert undone["kept"] == counted.changed_since == 0
        assert undone["reversed"] == counted.removed + counted.reverted
        assert whole(import_harness) == states[-1]
    assert import_harness.records("companies") == []


def test_a_delta_by_another_programs_ids_is_taken_back_step_by_step(import_harness: ImportHarness) -> None:
    header = ["External ID", "First name", "Email"]
    steps = []
    for names in (("Ann", "Bo"), ("Anna", "Bob")):
        rows = [[f"u{n}", name, f"{n}@example.com"] for n, name in enumerate(names)]
        import_id = import_harness.upload(csv_text(header, rows))
        import_harness.choose(import_id, key="external_id")
        import_harness.check(import_id)
        import_harness.apply(import_id)
        steps.append(import_id)
    assert import_harness.undo(steps[1])["reversed"] == 2
    assert [record.first_name for record in import_harness.records()] == ["Ann", "Bo"]
    assert import_harness.undo(steps[0])["reversed"] == 2
    assert import_harness.records() == []


def test_out_of_order_what_a_later_import_changed_is_kept_until_that_one_is_undone(
    import_harness: ImportHarness,
) -> None:
    first = imported(import_harness, [ANN, BO])
    second = imported(import_harness, [[*ANN[:5], "Linz", *ANN[6:]]])
    assert (planned(import_harness, first).kept["later"], planned(import_harness, first).removed) == (1, 1)
    done = import_harness.undo(first)
    assert (done["reversed"], done["kept"]) == (1, 1)
    assert kept(import_harness, first) == {("Ann Lee", "changed by a later import")}
    assert import_harness.found(first).state == "undone"
    assert import_harness.undo(second)["reversed"] == 1
    done = import_harness.undo(first)
    assert (done["reversed"], done["kept"], import_harness.records(), import_harness.records("companies")) == (
        2,
        0,
        [],
        [],
    )


def test_undo_anyway_takes_back_what_was_edited_and_loses_no_work(import_harness: ImportHarness) -> None:
    imported(import_harness, [BO])
    import_id = imported(import_harness, [ANN, ["Robert", *BO[1:5], "Wien", "", ""]])
    edit_everybody(import_harness, job_title="Chief", last_name="New")
    counted = planned(import_harness, import_id)
    assert (counted.changed_since, counted.takes_back) == (2, 0)
    assert import_harness.undo(import_id)["kept"] == 2
    with import_harness.at_work() as session:
        actions.ask_undo(import_for_changing(import_id), anyway=True)
        done = run_undo(session, import_id, unwatched)
        import_harness._end_job(import_id)
    assert (done["reversed"], done["kept"]) == (2, 0)
    bo = import_harness.only()
    # The import's fields are as before it; what people wrote into others stays, and what is computed fits both.
    assert (bo.first_name, bo.city, bo.job_title, bo.last_name, bo.sort_name) == (
        "Bo",
        "Berlin",
        "Chief",
        "New",
        "new, bo",
    )
    with import_harness.at_work() as session:
        ann = session.scalars(select(Contact).where(Contact.deleted_at.is_not(None))).one()
        assert restore_records(CONTACTS, [ann.id]) == [ann.id]
    assert import_harness.undo(import_id)["kept"] == 0
    assert {record.first_name for record in import_harness.records()} == {"Ann", "Bo"}


def test_a_second_company_that_was_linked_before_stays_linked(import_harness: ImportHarness) -> None:
    imported(import_harness, [ANN, BO])
    with import_harness.at_work() as session:
        ann = session.scalars(select(Contact).where(Contact.first_name == "Ann")).one()
        globex = next(company for company in session.scalars(select(Company)) if company.name == "Globex")
        session.add(ContactCompany(contact_id=ann.id, company_id=globex.id))
    before = whole(import_harness)
    import_harness.undo(imported(import_harness, [[*ANN[:4], "Globex", *ANN[5:]]]))
    assert whole(import_harness) == before


def test_companies_go_with_the_last_import_that_held_them(import_harness: ImportHarness) -> None:
    first, second = imported(import_harness, [ANN]), imported(import_harness, [[*BO[:4], "Acme", *BO[5:]]])
    assert planned(import_harness, first).companies == 0
    import_harness.undo(first)
    assert [company.name for company in import_harness.records("companies")] == ["Acme"]
    assert planned(import_harness, second).companies == 1
    import_harness.undo(second)
    assert import_harness.records("companies") == []


def test_a_company_stays_when_a_person_uses_or_edits_it(import_harness: ImportHarness) -> None:
    import_id = imported(import_harness, [ANN, BO])
    with import_harness.at_work() as session:
        for company in session.scalars(select(Company).where(Company.name == "Globex").with_for_update()):
            change_record(COMPANIES, company, {"industry": "Energy"})
    assert planned(import_harness, import_id).companies == 1
    assert import_harness.undo(import_id)["reversed"] == 2
    assert [company.name for company in import_harness.records("companies")] == ["Globex"]


def test_the_page_counts_before_it_asks_and_the_heading_says_what_happened(
    import_harness: ImportHarness, log_in: Callable[..., Browser], add_person: Callable[..., Person]
) -> None:
    import_id = imported(import_harness, [ANN, BO])
    alice = log_in(add_person(import_harness.tenant, "Alina", "administrator"))
    with import_harness.at_work() as session:
        contact = session.scalars(select(Contact).where(Contact.first_name == "Bo").with_for_update()).one()
        change_record(CONTACTS, contact, {"job_title": "Chief"})
    page = alice.get(f"/imports/{import_id}/undo")
    assert re.findall(r"<dt>([^<]+)</dt><dd>(\d+)", page.text) == [
        ("Removed", "1"), ("Old values restored", "0"), ("Companies removed", "1"), ("Kept", "1"),
    ]  # fmt: skip
    assert "Bo Chen" in page.text and "Also undo 1 record changed since" in page.text
    import_harness.undo(import_id)
    page = alice.get(f"/imports/{import_id}").text
    assert "Partly undone" in page and "Undo the rest" in page and "Bo Chen" in page
    assert "Partly undone" in alice.get("/imports/").text
    alice.post(f"/imports/{import_id}/undo", {"anyway": "1"})
    with import_harness.at_work() as session:
        run_undo(session, import_id, unwatched)
        import_harness._end_job(import_id)
    page = alice.get(f"/imports/{import_id}").text
    assert "Partly undone" not in page and "Moved to the trash" in page
    reader = log_in(add_person(import_harness.tenant, "Rea", "reader"))
    assert reader.get(f"/imports/{import_id}/undo").status_code == 403
