"""A whole import is taken back: what it made goes, what it changed returns, what was edited since stays, named."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import select

from qikbiz.actors import Actor
from qikbiz.audit.models import AuditEvent, RecordChange
from qikbiz.contacts.models import Contact, ContactCompany
from qikbiz.database import db
from qikbiz.failures import Conflict
from tests.fixtures.tenancy import Person
from tests.imports.desk import Desk, csv_text

HEADER = ["First name", "Last name", "Email", "Phone", "Company", "City", "Tags", "Birthday"]
ANN = ["Ann", "Lee", "ann@example.com", "+49 30 1234567", "Acme", "Graz", "vip", "1980-02-03"]
BO = ["Bo", "Chen", "bo@example.com", "", "Globex", "Berlin", "", ""]


def imported(desk: Desk, rows: list[list[str]]) -> UUID:
    import_id = desk.upload(csv_text(HEADER, rows))
    desk.choose(import_id)
    desk.check(import_id)
    desk.apply(import_id)
    return import_id


def columns_of(desk: Desk) -> list[dict[str, object]]:
    left = {"version", "updated_at", "updated_by"}
    return [
        {
            column.name: getattr(record, column.name)
            for column in Contact.__table__.c
            if column.name not in left | {"search"}
        }
        for record in desk.records()
    ]


def links(desk: Desk) -> list[tuple[UUID, UUID, bool]]:
    with desk.at_work():
        found = select(ContactCompany.contact_id, ContactCompany.company_id, ContactCompany.is_primary)
        return sorted((row[0], row[1], row[2]) for row in db.session.execute(found))


def test_what_was_created_goes_with_its_companies_and_links(desk: Desk) -> None:
    import_id = imported(desk, [ANN, BO])
    done = desk.undo(import_id)
    assert (done["reversed"], done["kept"], done["failed"]) == (2, 0, 0)
    assert (desk.records(), desk.records("companies"), links(desk)) == ([], [], [])
    with desk.at_work():
        assert "import.undone" in set(db.session.scalars(select(AuditEvent.action)))


def test_what_was_changed_is_as_before_to_the_last_column(desk: Desk) -> None:
    imported(desk, [ANN])
    before, linked = columns_of(desk), links(desk)
    changed = ["Anna", "Fox", "ann@example.com", "+1 202 555 0143", "Globex", "Linz", "new", "1981-01-01"]
    second = imported(desk, [changed])
    assert columns_of(desk) != before
    assert desk.only().phone == "+12025550143"
    done = desk.undo(second)
    assert (done["reversed"], done["kept"]) == (1, 0)
    assert columns_of(desk) == before
    assert links(desk) == linked
    assert [company.name for company in desk.records("companies")] == ["Acme"]
    with desk.at_work():
        sources = db.session.scalars(select(RecordChange.source).order_by(RecordChange.id)).all()
    assert list(sources) == ["import", "undo"]


def test_what_was_edited_since_is_kept_and_named(desk: Desk) -> None:
    imported(desk, [BO])
    import_id = imported(desk, [ANN, [*BO[:5], "Wien", "", ""]])
    with desk.at_work() as session:
        for contact in session.scalars(select(Contact)):
            contact.job_title, contact.version = "Chief", contact.version + 1
    done = desk.undo(import_id)
    assert (done["reversed"], done["kept"], done["failed"]) == (0, 2, 0)
    assert {record["name"] for record in desk.found(import_id).undo_counts["kept_records"]} == {"Ann Lee", "Bo Chen"}
    assert [record.city for record in desk.records()] == ["Wien", "Graz"]


def test_a_record_that_is_gone_meanwhile_is_counted_as_failed(desk: Desk) -> None:
    imported(desk, [BO])
    import_id = imported(desk, [[*BO[:5], "Wien", "", ""]])
    with desk.at_work() as session:
        session.delete(session.scalars(select(Contact)).one())
    assert desk.undo(import_id)["failed"] == 1


def test_only_an_applied_import_can_be_undone_and_only_once(desk: Desk) -> None:
    import_id = desk.upload(csv_text(HEADER, [ANN]))
    desk.choose(import_id)
    with pytest.raises(Conflict):
        desk.undo(import_id)
    import_id = imported(desk, [ANN])
    assert desk.undo(import_id)["reversed"] == 1
    assert desk.undo(import_id)["reversed"] == 1
    assert desk.found(import_id).state == "undone"


def test_an_undone_file_may_be_imported_again(desk: Desk) -> None:
    desk.undo(imported(desk, [ANN]))
    assert len(desk.records()) == 0
    imported(desk, [ANN])
    assert desk.only().email == "ann@example.com"


def test_whoever_undoes_is_named_not_whoever_imported(desk: Desk, add_person: Callable[..., Person]) -> None:
    import_id = imported(desk, [ANN])
    ben = add_person(desk.tenant, "Ben", "member")
    alice, desk.actor = desk.actor, Actor("user", ben.id, "Ben")
    desk.undo(import_id)
    with desk.at_work():
        events = db.session.execute(select(AuditEvent.action, AuditEvent.actor_name).order_by(AuditEvent.id)).all()
    assert [tuple(event) for event in events if event.action.startswith("import.")] == [
        ("import.uploaded", alice.name),
        ("import.checked", alice.name),
        ("import.apply_asked", alice.name),
        ("import.applied", alice.name),
        ("import.undo_asked", "Ben"),
        ("import.undone", "Ben"),
    ]
