"""An import does what the role lets its owner do by hand, and no more."""

from __future__ import annotations

import pytest

from qikbiz.crm.records.field_access import visible_type
from qikbiz.crm.schema.registry import RECORD_TYPES
from qikbiz.kernel.actors import Actor
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import Forbidden
from qikbiz.kernel.rights import Rights
from qikbiz.transfer.imports.mapping import UnusableMapping
from qikbiz.transfer.imports.models import Import
from qikbiz.transfer.imports.queries import updates
from tests.fixtures.roles import ruled
from tests.imports.harness import ImportHarness, csv_text

pytestmark = pytest.mark.promise("P15")
IMPORTS_OWN = Rights.of(see="own", create="own", change="own", import_="own")
TWO = [["Ann", "Lee", "a@x.example", "", ""], ["Bo", "Yu", "b@x.example", "", ""]]
HEADER = ["First name", "Last name", "E-mail", "Owner", "Company"]


@pytest.fixture
def desk_of(app, staffed):
    def import_harness(name: str) -> ImportHarness:
        person = staffed.organisation.people[name]
        return ImportHarness(app, staffed.organisation.tenant, Actor("user", person.id, person.name))

    return import_harness


def _run(import_harness: ImportHarness, rows: list[list[str]]) -> dict[str, int]:
    import_id = import_harness.upload(csv_text(HEADER, rows))
    import_harness.choose(import_id, key="email")
    import_harness.check(import_id)
    counts = import_harness.apply(import_id)
    return {name: counts[name] for name in ("created", "updated", "unchanged", "invalid")}


def test_what_is_imported_without_an_owner_is_the_importers_own(staffed, desk_of, rows_of):
    staffed.join("cleo", IMPORTS_OWN)
    assert _run(desk_of("cleo"), [["Ann", "Lee", "ann@x.example", "", "New Works"]])["created"] == 1
    tenant = staffed.organisation.tenant
    owners = {
        row["owner_id"] for table in ("contacts", "companies") for row in rows_of(tenant, f"select * from {table}")
    }
    assert owners == {staffed.id("cleo")}


def test_an_owner_out_of_reach_is_not_given_the_row(staffed, desk_of, rows_of):
    staffed.join("cleo", IMPORTS_OWN)
    alice = staffed.organisation.people["alice"].email
    counts = _run(desk_of("cleo"), [["Ann", "Lee", "a@x.example", alice, ""], ["Bo", "Yu", "b@x.example", "", ""]])
    assert counts["created"] == 2
    rows = rows_of(staffed.organisation.tenant, "select owner_id from contacts")
    assert {row["owner_id"] for row in rows} == {staffed.id("cleo")}


def test_only_what_may_be_changed_is_updated(staffed, desk_of, rows_of):
    staffed.join("cleo", Rights.of(see="team", create="own", change="own", import_="own"))
    staffed.team("North", "cleo", "ben")
    organisation = staffed.organisation
    for name in ("cleo", "ben"):
        organisation.add_contact(first_name="Old", email=f"{name}@x.example", owner_id=staffed.id(name))
    counts = _run(desk_of("cleo"), [["New", "", f"{name}@x.example", "", ""] for name in ("cleo", "ben")])
    assert (counts["updated"], counts["invalid"]) == (1, 1)
    names = {row["email"]: row["first_name"] for row in rows_of(organisation.tenant, "select * from contacts")}
    assert names == {"cleo@x.example": "New", "ben@x.example": "Old"}


def test_a_record_out_of_sight_is_neither_changed_nor_given_away(staffed, desk_of, rows_of):
    staffed.join("cleo", IMPORTS_OWN)
    staffed.organisation.add_contact(first_name="Old", email="ann@x.example", owner_id=staffed.id("alice"))
    assert _run(desk_of("cleo"), [["New", "", "ann@x.example", "", ""]])["created"] == 1
    query = "select first_name, owner_id from contacts order by first_name"
    rows = [(row["first_name"], row["owner_id"]) for row in rows_of(staffed.organisation.tenant, query)]
    assert rows == [("New", staffed.id("cleo")), ("Old", staffed.id("alice"))]


def test_a_company_out_of_sight_is_not_linked(staffed, desk_of, rows_of):
    staffed.join("cleo", IMPORTS_OWN)
    hidden = staffed.organisation.add_company("Umbrella", owner_id=staffed.id("alice"))
    _run(desk_of("cleo"), [["Ann", "Lee", "ann@x.example", "", "Umbrella"]])
    linked = rows_of(staffed.organisation.tenant, "select company_id from contacts")[0]["company_id"]
    assert str(linked) != hidden


def test_without_the_right_to_create_companies_none_are_made(staffed, desk_of, rows_of):
    both = Rights.of(see="all", create="all", change="all", import_="all", types=["contact"])
    staffed.join("cleo", both, Rights.of(see="all", types=["company"]))
    counts = _run(desk_of("cleo"), [["Ann", "Lee", "ann@x.example", "", "Nowhere"]])
    assert (counts["created"], counts["invalid"]) == (1, 0)
    assert not rows_of(staffed.organisation.tenant, "select id from companies")
    (ann,) = rows_of(staffed.organisation.tenant, "select company_id, company_name from contacts")
    assert (ann["company_id"], ann["company_name"]) == (None, None)


@pytest.mark.parametrize("rule", ["hidden", "read-only"])
def test_a_field_that_may_not_be_written_can_not_be_mapped(staffed, desk_of, rule):
    staffed.join("cleo", ruled(Rights.of(see="all", create="all", change="all", import_="all"), birthdate=rule))
    import_harness = desk_of("cleo")
    import_id = import_harness.upload(
        csv_text(["Last name", "E-mail", "Birthday"], [["Lee", "ann@x.example", "1990-01-01"]])
    )
    with import_harness.at_work():
        assert "birthdate" not in str(db.session.get_one(Import, import_id).mapping)
    columns = {"0": {"field": "last_name"}, "1": {"field": "emails"}, "2": {"field": "birthdate"}}
    columns = {place: {"label": "", "label_place": None, **one} for place, one in columns.items()}
    with pytest.raises(UnusableMapping, match="birthdate"):
        import_harness.choose(import_id, key="email", columns=columns)


def test_a_right_that_was_taken_away_stops_the_import_at_its_next_step(staffed, desk_of, rows_of):
    cleo = staffed.join("cleo", IMPORTS_OWN)
    import_harness = desk_of("cleo")
    import_id = import_harness.upload(csv_text(HEADER, [["Ann", "Lee", "ann@x.example", "", ""]]))
    import_harness.choose(import_id, key="email")
    import_harness.check(import_id)
    rows_of(staffed.organisation.tenant, "update users set roles = '{reader}' where id = :id", id=cleo.id)
    with pytest.raises(Forbidden):
        import_harness.apply(import_id)
    assert not rows_of(staffed.organisation.tenant, "select id from contacts")


def test_only_types_that_may_be_imported_are_offered(staffed):
    staffed.join("cleo", Rights.of(types=["contact"], see="all", create="all", change="all", import_="all"))
    for address in ("/imports/", "/imports/new"):
        page = staffed.organisation.browser("cleo").get(address).text
        assert "contacts" in page.lower()
        assert "Import companies" not in page and 'value="companies"' not in page
    assert "Import companies" in staffed.organisation.browser("alice").get("/imports/").text


def test_others_imports_are_not_there(staffed, desk_of):
    staffed.join("cleo", IMPORTS_OWN)
    import_harness = desk_of("alice")
    import_id = import_harness.upload(csv_text(HEADER, [["Ann", "Lee", "ann@x.example", "", ""]]))
    cleo, alice = staffed.organisation.browser("cleo"), staffed.organisation.browser("alice")
    assert str(import_id) in alice.get("/imports/").text and str(import_id) not in cleo.get("/imports/").text
    for page in (
        "",
        "/columns",
        "/format",
        "/cells",
        "/updates",
        "/refused",
        "/refused.csv",
        "/skipped",
        "/skipped.csv",
    ):
        assert cleo.get(f"/imports/{import_id}{page}", check=False).status_code == 404, page
    for act in ("check", "application", "undo", "cancellation", "columns", "format", "cells"):
        assert cleo.post(f"/imports/{import_id}/{act}").status_code == 404, act


FILE = ["First name", "E-mail", "Phone", "Birthday", "Secret code"]
FILE_ROWS = [
    ["Ann", "ann@x.example", "+12025550143", "1990-01-01", "code 1"],
    ["Bo", "bo@x.example", "phone 2", "someday", "code 2"],
    ["Cy", "nobody", "+12025550145", "1992-02-02", "code 3"],
]
HIDDEN_CELLS = ("12025550143", "phone 2", "1990-01-01", "someday", "code 1", "code 2", "12025550145")
PAGES = ("", "/format", "/columns", "/cells", "/refused", "/refused.csv", "/skipped", "/skipped.csv", "/updates")


def test_a_colleagues_import_shows_no_cell_of_a_field_that_the_role_hides(staffed, desk_of):
    all_of_it = Rights.of(see="all", create="all", change="all", import_="all")
    staffed.join("cleo", ruled(all_of_it, phones="hidden", phone="hidden", birthdate="hidden"))
    staffed.organisation.add_contact(first_name="Old", email="ann@x.example")
    import_harness = desk_of("alice")
    import_id = import_harness.upload(csv_text(FILE, FILE_ROWS))
    import_harness.choose(import_id, key="email")
    counts = import_harness.check(import_id)
    assert (counts["updated"], counts["created"], counts["invalid"], counts["skipped_cells"]) == (1, 1, 1, 2)
    alice, cleo = staffed.organisation.browser("alice"), staffed.organisation.browser("cleo")
    seen = {}
    for page in PAGES:
        answer = cleo.get(f"/imports/{import_id}{page}", check=False)
        seen[page] = answer.text
        assert answer.status_code == 200
        assert not [cell for cell in HIDDEN_CELLS if cell in seen[page]], page
    # What the role shows stays visible, and the user who uploaded the file sees all of it.
    assert "ann@x.example" in seen["/columns"] and "nobody" in seen["/refused.csv"]
    for cell, page in (
        ("code 1", "/columns"),
        ("1990-01-01", "/format"),
        ("phone 2", "/cells"),
        ("someday", "/skipped"),
    ):
        assert cell in alice.get(f"/imports/{import_id}{page}").text


def test_a_row_that_stands_in_for_headings_is_hidden_like_its_columns(staffed, desk_of):
    """A file without headings: what the product takes for them are a person's values."""
    all_of_it = Rights.of(see="all", create="all", change="all", import_="all")
    staffed.join("cleo", ruled(all_of_it, phones="hidden", phone="hidden", emails="hidden", email="hidden"))
    import_harness = desk_of("alice")
    first = ["Ken", "Secret", "ken.secret@x.example", "+442079460991", "ken.private@x.example"]
    import_id = import_harness.upload(csv_text(first, [["Bo", "Yu", "bo@x.example", "phone 2", ""]]))
    columns = {"0": "first_name", "1": "last_name", "2": "emails", "3": "phones"}
    mapped = {place: {"field": name, "label": "", "label_place": None} for place, name in columns.items()}
    import_harness.choose(import_id, key="email", columns=mapped)
    import_harness.check(import_id)
    alice, cleo = staffed.organisation.browser("alice"), staffed.organisation.browser("cleo")
    for page in PAGES:
        text = cleo.get(f"/imports/{import_id}{page}", check=False).text
        assert not [value for value in (*first[2:], "phone 2") if value in text], page
    assert "Column 4" in cleo.get(f"/imports/{import_id}/columns").text
    assert first[4] in alice.get(f"/imports/{import_id}").text


def test_nor_can_a_hidden_column_be_read_anew_to_be_seen(staffed, desk_of):
    all_of_it = Rights.of(see="all", create="all", change="all", import_="all")
    staffed.join("cleo", ruled(all_of_it, phones="hidden", phone="hidden"))
    import_harness = desk_of("alice")
    import_id = import_harness.upload(csv_text(FILE, FILE_ROWS))
    import_harness.choose(import_id, key="email")
    cleo = staffed.organisation.browser("cleo")
    form = {"column-0": "first_name", "column-1": "emails:", "column-2": "description", "column-4": "description"}
    cleo.post(f"/imports/{import_id}/columns", {**form, "key": "email", "mode": "upsert"})
    assert "description" not in str(import_harness.found(import_id).mapping)
    form = {"encoding": "utf-8", "delimiter": ";", "has_header": ""}
    assert cleo.post(f"/imports/{import_id}/format", form).status_code == 403
    assert import_harness.found(import_id).header == FILE


def test_the_changes_shown_are_those_of_records_one_may_see(staffed, desk_of):
    both = Rights.of(see="own", create="own", change="own", import_="own")
    staffed.join("cleo", both)
    alice = staffed.organisation.people["alice"]
    for name, owner in (("mine", staffed.id("cleo")), ("hers", alice.id)):
        staffed.organisation.add_contact(first_name=name, email=f"{name}@x.example", owner_id=owner)
    import_harness = desk_of("alice")
    import_id = import_harness.upload(
        csv_text(["E-mail", "City"], [["mine@x.example", "Graz"], ["hers@x.example", "Linz"]])
    )
    import_harness.choose(import_id, key="email")
    assert import_harness.check(import_id)["updated"] == 2
    with import_harness.at_work(), staffed.acting("cleo"):
        shown = updates(import_id, visible_type(RECORD_TYPES["contacts"])).rows
    assert [update.subject for update in shown] == ["mine"]


def test_undoing_leaves_alone_what_is_no_longer_within_reach(staffed, desk_of, rows_of):
    staffed.join("cleo", IMPORTS_OWN)
    import_harness = desk_of("cleo")
    import_id = import_harness.upload(
        csv_text(HEADER, [["Ann", "Lee", "a@x.example", "", ""], ["Bo", "Yu", "b@x.example", "", ""]])
    )
    import_harness.choose(import_id, key="email")
    import_harness.check(import_id)
    import_harness.apply(import_id)
    rows_of(
        staffed.organisation.tenant,
        "update contacts set owner_id = :id where first_name = 'Bo'",
        id=staffed.id("alice"),
    )
    done = import_harness.undo(import_id)
    assert (done["reversed"], done["kept"]) == (1, 1)
    assert "Yu" not in str(done)
    assert [row["first_name"] for row in rows_of(staffed.organisation.tenant, "select * from contacts")] == ["Bo"]
