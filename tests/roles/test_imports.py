"""An import does what the role lets its owner do by hand, and no more."""

from __future__ import annotations

import pytest

from qikbiz.actors import Actor
from qikbiz.database import db
from qikbiz.failures import Forbidden
from qikbiz.imports.mapping import UnusableMapping
from qikbiz.imports.models import Import
from qikbiz.roles.rights import Rights
from tests.fixtures.roles import ruled
from tests.imports.desk import Desk, csv_text

pytestmark = pytest.mark.promise("P15")
IMPORTS_OWN = Rights.of(see="own", create="own", change="own", import_="own")
TWO = [["Ann", "Lee", "a@x.example", "", ""], ["Bo", "Yu", "b@x.example", "", ""]]
HEADER = ["First name", "Last name", "E-mail", "Owner", "Company"]


@pytest.fixture
def desk_of(app, staffed):
    def desk(name: str) -> Desk:
        person = staffed.office.people[name]
        return Desk(app, staffed.office.tenant, Actor("user", person.id, person.name))

    return desk


def _run(desk: Desk, rows: list[list[str]]) -> dict[str, int]:
    import_id = desk.upload(csv_text(HEADER, rows))
    desk.choose(import_id, key="email")
    desk.check(import_id)
    counts = desk.apply(import_id)
    return {name: counts[name] for name in ("created", "updated", "unchanged", "invalid")}


def test_what_is_imported_without_an_owner_is_the_importers_own(staffed, desk_of, rows_of):
    staffed.join("cleo", IMPORTS_OWN)
    assert _run(desk_of("cleo"), [["Ann", "Lee", "ann@x.example", "", "New Works"]])["created"] == 1
    tenant = staffed.office.tenant
    owners = {
        row["owner_id"] for table in ("contacts", "companies") for row in rows_of(tenant, f"select * from {table}")
    }
    assert owners == {staffed.id("cleo")}


def test_a_row_for_an_owner_out_of_reach_is_refused(staffed, desk_of):
    staffed.join("cleo", IMPORTS_OWN)
    alice = staffed.office.people["alice"].email
    counts = _run(desk_of("cleo"), [["Ann", "Lee", "a@x.example", alice, ""], ["Bo", "Yu", "b@x.example", "", ""]])
    assert (counts["created"], counts["invalid"]) == (1, 1)


def test_only_what_may_be_changed_is_updated(staffed, desk_of, rows_of):
    staffed.join("cleo", Rights.of(see="team", create="own", change="own", import_="own"))
    staffed.team("North", "cleo", "ben")
    office = staffed.office
    for name in ("cleo", "ben"):
        office.add_contact(first_name="Old", email=f"{name}@x.example", owner_id=staffed.id(name))
    counts = _run(desk_of("cleo"), [["New", "", f"{name}@x.example", "", ""] for name in ("cleo", "ben")])
    assert (counts["updated"], counts["invalid"]) == (1, 1)
    names = {row["email"]: row["first_name"] for row in rows_of(office.tenant, "select * from contacts")}
    assert names == {"cleo@x.example": "New", "ben@x.example": "Old"}


def test_a_record_out_of_sight_is_neither_changed_nor_given_away(staffed, desk_of, rows_of):
    staffed.join("cleo", IMPORTS_OWN)
    staffed.office.add_contact(first_name="Old", email="ann@x.example", owner_id=staffed.id("alice"))
    assert _run(desk_of("cleo"), [["New", "", "ann@x.example", "", ""]])["created"] == 1
    query = "select first_name, owner_id from contacts order by first_name"
    rows = [(row["first_name"], row["owner_id"]) for row in rows_of(staffed.office.tenant, query)]
    assert rows == [("New", staffed.id("cleo")), ("Old", staffed.id("alice"))]


def test_a_company_out_of_sight_is_not_linked(staffed, desk_of, rows_of):
    staffed.join("cleo", IMPORTS_OWN)
    hidden = staffed.office.add_company("Umbrella", owner_id=staffed.id("alice"))
    _run(desk_of("cleo"), [["Ann", "Lee", "ann@x.example", "", "Umbrella"]])
    linked = rows_of(staffed.office.tenant, "select company_id from contacts")[0]["company_id"]
    assert str(linked) != hidden


def test_without_the_right_to_create_companies_none_are_made(staffed, desk_of, rows_of):
    both = Rights.of(see="all", create="all", change="all", import_="all", types=["contact"])
    staffed.join("cleo", both, Rights.of(see="all", types=["company"]))
    counts = _run(desk_of("cleo"), [["Ann", "Lee", "ann@x.example", "", "Nowhere"]])
    assert (counts["created"], counts["invalid"]) == (0, 1)
    assert not rows_of(staffed.office.tenant, "select id from companies")


@pytest.mark.parametrize("rule", ["hidden", "read-only"])
def test_a_field_that_may_not_be_written_can_not_be_mapped(staffed, desk_of, rule):
    staffed.join("cleo", ruled(Rights.of(see="all", create="all", change="all", import_="all"), birthdate=rule))
    desk = desk_of("cleo")
    import_id = desk.upload(csv_text(["Last name", "E-mail", "Birthday"], [["Lee", "ann@x.example", "1990-01-01"]]))
    with desk.at_work():
        assert "birthdate" not in str(db.session.get_one(Import, import_id).mapping)
    columns = {"0": {"field": "last_name"}, "1": {"field": "emails"}, "2": {"field": "birthdate"}}
    columns = {place: {"label": "", "label_place": None, **one} for place, one in columns.items()}
    with pytest.raises(UnusableMapping, match="birthdate"):
        desk.choose(import_id, key="email", columns=columns)


def test_a_right_that_was_taken_away_stops_the_import_at_its_next_step(staffed, desk_of, rows_of):
    cleo = staffed.join("cleo", IMPORTS_OWN)
    desk = desk_of("cleo")
    import_id = desk.upload(csv_text(HEADER, [["Ann", "Lee", "ann@x.example", "", ""]]))
    desk.choose(import_id, key="email")
    desk.check(import_id)
    rows_of(staffed.office.tenant, "update users set roles = '{reader}' where id = :id", id=cleo.id)
    with pytest.raises(Forbidden):
        desk.apply(import_id)
    assert not rows_of(staffed.office.tenant, "select id from contacts")


def test_others_imports_are_not_there(staffed, desk_of):
    staffed.join("cleo", IMPORTS_OWN)
    desk = desk_of("alice")
    import_id = desk.upload(csv_text(HEADER, [["Ann", "Lee", "ann@x.example", "", ""]]))
    cleo, alice = staffed.office.browser("cleo"), staffed.office.browser("alice")
    assert str(import_id) in alice.get("/imports/").text and str(import_id) not in cleo.get("/imports/").text
    for page in ("", "/columns", "/format", "/updates", "/refused", "/refused.csv"):
        assert cleo.get(f"/imports/{import_id}{page}", check=False).status_code == 404, page
    for act in ("check", "application", "undo", "cancellation", "columns", "format"):
        assert cleo.post(f"/imports/{import_id}/{act}").status_code == 404, act


def test_undoing_leaves_alone_what_is_no_longer_within_reach(staffed, desk_of, rows_of):
    staffed.join("cleo", IMPORTS_OWN)
    desk = desk_of("cleo")
    import_id = desk.upload(
        csv_text(HEADER, [["Ann", "Lee", "a@x.example", "", ""], ["Bo", "Yu", "b@x.example", "", ""]])
    )
    desk.choose(import_id, key="email")
    desk.check(import_id)
    desk.apply(import_id)
    rows_of(staffed.office.tenant, "update contacts set owner_id = :id where first_name = 'Bo'", id=staffed.id("alice"))
    done = desk.undo(import_id)
    assert (done["reversed"], done["kept"]) == (1, 1)
    assert "Yu" not in str(done)
    assert [row["first_name"] for row in rows_of(staffed.office.tenant, "select * from contacts")] == ["Bo"]
