"""An export holds what the role lets its owner export, column by column, and stops when that becomes less."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import Any

import pytest

from qikbiz.kernel.database import tenant_transaction
from qikbiz.kernel.errors import Failure, Forbidden
from qikbiz.kernel.permissions import Permission
from qikbiz.kernel.rights import Rights
from qikbiz.transfer.exports.actions import ask_for_export, file_of
from qikbiz.transfer.exports.models import Export
from qikbiz.transfer.exports.selection import PRODUCTS, Selection
from tests.fixtures.roles import ruled
from workers.run_job import perform

pytestmark = pytest.mark.promise("P15")
EXPORTS_OWN = Rights.of(see="all", export="own")


def _make(staffed: Any, name: str, selection: Selection, *, between: Any = None) -> Export:
    tenant = staffed.organisation.tenant
    with tenant_transaction(tenant), staffed.acting(name):
        export = ask_for_export(selection)
        job_id = export.job_id
    if between:
        between()
    assert job_id
    perform(tenant.id, job_id)
    with tenant_transaction(tenant) as session:
        return session.get_one(Export, export.id)


def _rows(staffed: Any, export: Export) -> dict[str, list[dict[str, str]]]:
    assert export.state == "ready", export.manifest
    with tenant_transaction(staffed.organisation.tenant):
        archive = zipfile.ZipFile(io.BytesIO(b"".join(file_of(export).read())))
    texts = {name: archive.read(name).decode("utf-8-sig") for name in archive.namelist() if name.endswith(".csv")}
    return {name.partition(".")[0]: list(csv.DictReader(io.StringIO(text))) for name, text in texts.items()}


@pytest.fixture
def people(staffed: Any) -> Any:
    organisation = staffed.organisation
    staffed.join("cleo", EXPORTS_OWN)
    hidden = organisation.add_company("Umbrella", owner_id=staffed.id("alice"))
    for name, owner in (("cleo", staffed.id("cleo")), ("alice", staffed.id("alice"))):
        organisation.add_contact(
            first_name=name, email=f"{name}@x.example", phone="+49301234567", owner_id=owner,
            company_name="Umbrella", company_id=hidden,
        )  # fmt: skip
    return staffed


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_list_holds_what_may_be_exported(people: Any, product: str) -> None:
    rows = _rows(people, _make(people, "cleo", Selection("contacts", product)))["contacts"]
    assert len(rows) == 1 and "cleo@x.example" in str(rows)
    assert len(_rows(people, _make(people, "alice", Selection("contacts", product)))["contacts"]) == 2


@pytest.mark.parametrize("product", PRODUCTS)
def test_hidden_fields_are_no_columns(people: Any, product: str) -> None:
    people.join("dan", ruled(Rights.of(see="all", export="all"), emails="hidden", phones="hidden"))
    rows = _rows(people, _make(people, "dan", Selection("contacts", product)))["contacts"]
    assert len(rows) == 2
    assert "x.example" not in str(rows) and "1234567" not in str(rows)
    assert not {"email", "emails", "other_emails", "sort_name", "Email", "Emails"} & rows[0].keys()


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_company_out_of_sight_is_not_named(people: Any, product: str) -> None:
    contacts = Rights.of(see="all", export="all", types=["contact"])
    people.join("dan", contacts, Rights.of(see="own", types=["company"]))
    rows = _rows(people, _make(people, "dan", Selection("contacts", product)))["contacts"]
    assert len(rows) == 2 and "Umbrella" not in str(rows)


def test_the_whole_organisation_needs_everything(people: Any) -> None:
    people.join("dan", Rights.of(see="all", export="all"))
    people.join("eve", ruled(Rights.of(see="all", export="all", pages=[Permission.EXPORT_EVERYTHING]), phones="hidden"))
    people.join("fay", Rights.of(see="all", export="all", pages=[Permission.EXPORT_EVERYTHING]))
    for name in ("cleo", "dan", "eve"):
        with pytest.raises(Forbidden):
            _make(people, name, Selection())
    assert _make(people, "fay", Selection()).state == "ready"


def test_a_spreadsheet_of_everything_holds_the_lists_that_may_be_exported(people: Any) -> None:
    people.join("dan", Rights.of(see="all", export="all", types=["contact"]), Rights.of(see="all", types=["company"]))
    assert set(_rows(people, _make(people, "dan", Selection(product="spreadsheet")))) == {"contacts"}


@pytest.mark.parametrize("columns", [("email",), ("phones",)])
def test_asking_for_a_hidden_column_is_refused(people: Any, columns: tuple[str, ...]) -> None:
    people.join("dan", ruled(Rights.of(see="all", export="all"), emails="hidden", phones="hidden"))
    with pytest.raises(Failure, match="no column"):
        _make(people, "dan", Selection("contacts", columns=columns))


def test_it_stops_when_the_role_reaches_less_than_at_the_start(people: Any, rows_of: Any) -> None:
    people.join("dan", Rights.of(see="all", export="all"))

    def narrow() -> None:
        rows_of(people.organisation.tenant, "update users set roles = '{reader}' where id = :id", id=people.id("dan"))

    assert _make(people, "dan", Selection("contacts"), between=narrow).state == "failed"


def test_others_files_are_not_there_and_ones_own_only_while_they_may_be_had(people: Any, rows_of: Any) -> None:
    organisation = people.organisation
    theirs = _make(people, "alice", Selection("contacts"))
    people.join("dan", Rights.of(see="all", export="all"))
    own = _make(people, "dan", Selection("contacts"))
    dan = organisation.browser("dan")
    assert dan.get(f"/exports/{theirs.id}").status_code == dan.get(f"/exports/{theirs.id}/file").status_code == 404
    assert str(theirs.id) not in dan.get("/exports/").text
    assert dan.get(f"/exports/{own.id}/file", check=False).status_code == 200
    query = """update roles set rights = jsonb_set(rights, '{records,contact,export}', '"own"') where name = 'dan 0'"""
    rows_of(organisation.tenant, query)
    fresh = people.organisation.log_in(organisation.people["dan"])
    assert fresh.get(f"/exports/{own.id}/file", check=False).status_code == 403
    assert f"/exports/{own.id}/download" not in fresh.get(f"/exports/{own.id}").text
