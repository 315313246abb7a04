"""What is in the file: exact values or safe ones, one snapshot, and nothing left behind when it can't be made."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select, text, update

from qikbiz.crm.companies.models import Company
from qikbiz.crm.contacts.fields import CONTACTS
from qikbiz.crm.contacts.models import Contact
from qikbiz.crm.records.filters import Viewer, conditions
from qikbiz.files.store import new_file_key
from qikbiz.identity.accounts.models import User
from qikbiz.identity.roles.builtin_roles import everything
from qikbiz.jobs.models import Job
from qikbiz.kernel.database import tenant_transaction
from qikbiz.transfer.exports import writer
from qikbiz.transfer.exports.catalogue import EXPORTED
from qikbiz.transfer.exports.formula_escape import FIRST_CHARACTERS, escape, unescape
from qikbiz.transfer.exports.models import Export
from qikbiz.transfer.exports.orders import Order
from qikbiz.transfer.exports.portable_csv import portable_rows
from qikbiz.transfer.exports.selection import Selection
from qikbiz.transfer.exports.verify import verify
from qikbiz.transfer.exports.writer import NoRoom, make_file
from tenants.control import new_id
from tests.exports.conftest import ExportHarness

# A spreadsheet takes these for formulas, or changes them when it reads them (docs/decisions/0004-exports.md).
DANGEROUS = [
    "=cmd|' /C calc'!A0",
    "+4366012345",
    "-5",
    "@x",
    "\tx",
    "\rx",
    "\nx",
    "\uff1d1+1",
    "'quoted",
    "''",
    "=",
    "'=1",
]
HARMLESS = ["Ann", "a=b", " =1", "O'Neill", "1-2", "", "ü", '"x"']


def portable(archive: zipfile.ZipFile, name: str) -> list[dict[str, str | None]]:
    rows = portable_rows(io.StringIO(archive.read(name).decode(), newline=""))
    header = next(rows)
    return [dict(zip(map(str, header), row, strict=True)) for row in rows]


def spreadsheet(archive: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"), newline="")))


def manifest_of(archive: zipfile.ZipFile) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(archive.read("manifest.json"))
    return manifest


def test_everything_holds_one_file_for_each_table(export_harness: ExportHarness) -> None:
    archive = export_harness.zip_of(export_harness.make())
    expected = [f"{table.name}.csv" for table in EXPORTED]
    beside = ["support_tickets.csv", "support_messages.csv"]
    assert archive.namelist() == [*expected, *beside, "manifest.json", "OPEN-ME-FIRST.txt", "verify.py"]


def test_the_portable_export_keeps_every_text_exactly(export_harness: ExportHarness) -> None:
    for number, value in enumerate([*DANGEROUS, *HARMLESS]):
        export_harness.add(first_name=f"{number}", description=value)
    archive = export_harness.zip_of(export_harness.make(Selection("contacts")))
    found = {row["first_name"]: row["description"] for row in portable(archive, "contacts.csv")}
    assert [found[str(number)] for number in range(len(found))] == [*DANGEROUS, *HARMLESS]
    counted = manifest_of(archive)["files"][0]["formula_cells"]
    assert counted["description"] == sum(value[0] in FIRST_CHARACTERS for value in DANGEROUS)


def test_no_cell_of_a_spreadsheet_begins_like_a_formula_and_each_can_be_read_back(
    export_harness: ExportHarness,
) -> None:
    for number, value in enumerate([*DANGEROUS, *HARMLESS]):
        export_harness.add(first_name=f"{number}", description=value, tags=[value or "x"], emails=[{"address": value}])
    archive = export_harness.zip_of(export_harness.make(Selection("contacts", "spreadsheet")))
    rows = sorted(spreadsheet(archive, "contacts.spreadsheet.csv"), key=lambda row: int(row["First name"]))
    assert not [cell for row in rows for cell in row.values() if cell[:1] and cell[:1] in FIRST_CHARACTERS]
    assert [unescape(row["Description"]) for row in rows] == [*DANGEROUS, *HARMLESS]
    assert manifest_of(archive)["escape"] == "apostrophe-v1"


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])) | st.sampled_from(DANGEROUS))
def test_the_escape_can_always_be_taken_off(value: str) -> None:
    assert unescape(escape(value)) == value
    assert escape(value)[:1] not in FIRST_CHARACTERS or value == ""


def test_numbers_and_dates_of_a_spreadsheet_stay_numbers_and_dates(export_harness: ExportHarness) -> None:
    with tenant_transaction(export_harness.tenant) as session:
        values = {"name": "Acme", "annual_revenue": Decimal("-5.50"), "number_of_employees": -3, "sort_name": "acme"}
        session.execute(insert(Company).values(id=new_id(), **values))
    export_harness.add(first_name="Ann", birthdate=date(1990, 2, 3), do_not_call=True, owner_id=export_harness.alice.id)
    archive = export_harness.zip_of(export_harness.make(Selection(product="spreadsheet")))
    company = spreadsheet(archive, "companies.spreadsheet.csv")[0]
    assert (company["Annual revenue"], company["Employees"]) == ("-5.50", "-3")
    contact = spreadsheet(archive, "contacts.spreadsheet.csv")[0]
    assert (contact["Birthday"], contact["Do not call"], contact["Owner"]) == ("1990-02-03", "yes", "Alice")


def test_times_of_a_spreadsheet_are_in_the_readers_zone(export_harness: ExportHarness) -> None:
    with tenant_transaction(export_harness.tenant) as session:
        session.execute(update(User).where(User.id == export_harness.alice.id).values(time_zone="Asia/Tokyo"))
    export_harness.add(first_name="Ann", created_at=text("timestamptz '2026-01-01 20:00:00+00'"))
    archive = export_harness.zip_of(export_harness.make(Selection("contacts", "spreadsheet")))
    assert spreadsheet(archive, "contacts.spreadsheet.csv")[0]["Created"] == "2026-01-02 05:00:00"


def test_the_two_products_are_never_mixed(export_harness: ExportHarness) -> None:
    export_harness.add(first_name="Ann")
    plain = export_harness.zip_of(export_harness.make())
    sheets = export_harness.zip_of(export_harness.make(Selection(product="spreadsheet")))
    assert not [name for name in plain.namelist() if "spreadsheet" in name]
    assert all(name.endswith(".spreadsheet.csv") for name in sheets.namelist() if name.endswith(".csv"))
    assert sheets.read("contacts.spreadsheet.csv").startswith(b"\xef\xbb\xbf")
    assert not plain.read("contacts.csv").startswith(b"\xef\xbb\xbf")
    assert b"\r\n" in plain.read("contacts.csv")
    assert b"PORTABLE" in plain.read("OPEN-ME-FIRST.txt") and b"SPREADSHEET" in sheets.read("OPEN-ME-FIRST.txt")


def test_chosen_columns_alone_are_exported(export_harness: ExportHarness) -> None:
    export_harness.add(first_name="Ann", last_name="Lee", city="Graz")
    archive = export_harness.zip_of(export_harness.make(Selection("contacts", columns=("city", "last_name"))))
    assert list(portable(archive, "contacts.csv")[0]) == ["id", "last_name", "city"]


def test_whatever_is_searched_for_is_only_a_text(export_harness: ExportHarness, subtests: pytest.Subtests) -> None:
    export_harness.add(first_name="Bea", city="Wien")
    for typed in ("100% sure", "'; DROP TABLE contacts; --", "\\", "%s", "{}", "O'Neill"):
        with subtests.test(typed=typed):
            export_harness.add(first_name=f"Ann of {typed}", city=typed)
            selection = Selection("contacts", filters={"city": [typed]})
            rows = portable(export_harness.zip_of(export_harness.make(selection)), "contacts.csv")
            assert [row["first_name"] for row in rows] == [f"Ann of {typed}"]


FILTERS: list[dict[str, list[str]]] = [
    {"owner_id": ["me"]}, {"owner_id": ["nobody"]}, {"tags": ["VIP"]}, {"tags": ["VIP", "new"]}, {"email": ["yes"]},
    {"email": ["no"]}, {"do_not_call": ["no"]}, {"lead_source": ["Event"]}, {"country": ["AT"]}, {"q": ["ann"]},
    {"created_at_from": ["2026-01-01"]}, {"created_at_to": ["2026-01-01"]},
    {"q": ["ann@example.org"], "country": ["AT"]}, {"company_name": ["01900000-0000-7000-8000-000000000001"]},
]  # fmt: skip


def test_every_filter_of_a_list_gives_the_rows_that_the_list_shows(
    export_harness: ExportHarness, subtests: pytest.Subtests
) -> None:
    export_harness.add(
        first_name="Ann", email="ann@example.org", tags=["VIP", "new"], country="AT", owner_id=export_harness.alice.id
    )
    export_harness.add(first_name="Bea", tags=["VIP"], lead_source="Event", created_at=datetime(2020, 1, 1, tzinfo=UTC))
    export_harness.add(first_name="Gone", country="AT", tags=["VIP"], deleted_at=datetime(2026, 1, 2, tzinfo=UTC))
    for filters in FILTERS:
        with subtests.test(filters=filters):
            with tenant_transaction(export_harness.tenant) as session:
                wanted = conditions(CONTACTS, filters, Viewer(everything().as_person(export_harness.alice.id)))
                shown = set(session.scalars(select(Contact.first_name).where(*wanted)))
            rows = portable(
                export_harness.zip_of(export_harness.make(Selection("contacts", filters=filters))), "contacts.csv"
            )
            assert {row["first_name"] for row in rows} == shown and len(rows) == len(shown)


def test_all_tables_are_of_one_moment(export_harness: ExportHarness) -> None:
    """Between two tables a user adds a company with a contact: the export has neither or both."""
    company = {"name": "Late", "sort_name": "late"}

    def add_both(table: str) -> None:
        with tenant_transaction(export_harness.tenant) as session:
            session.execute(insert(Company).values(id=new_id(), **company))
        export_harness.add(first_name=f"Late, before {table}")

    export_harness.add(first_name="Ann")
    key = new_file_key()
    order = Order(
        export_harness.tenant,
        Selection(rights=everything()),
        f"exports/{export_harness.tenant.id}/x",
        key,
        before_table=add_both,
    )
    made = make_file(order, export_harness.store)
    archive = zipfile.ZipFile(io.BytesIO(b"".join(export_harness.store.open(made.name, key).read())))
    assert portable(archive, "companies.csv") == []
    assert [row["first_name"] for row in portable(archive, "contacts.csv")] == ["Ann"]


def test_equal_rows_give_equal_bytes(export_harness: ExportHarness) -> None:
    export_harness.add(first_name="Ann")
    first, second = (export_harness.zip_of(export_harness.make(Selection("contacts"))) for _ in range(2))
    assert first.getinfo("contacts.csv").CRC == second.getinfo("contacts.csv").CRC
    assert [info.date_time for info in first.infolist()] == [info.date_time for info in second.infolist()]
    assert manifest_of(first)["files"] == manifest_of(second)["files"]


def test_the_checker_in_the_zip_finds_what_was_changed(export_harness: ExportHarness, tmp_path: Path) -> None:
    export_harness.add(first_name="Ann", description='two\r\nlines, "quoted"')
    export_harness.save(export_harness.make(), tmp_path / "export.zip")
    zipfile.ZipFile(tmp_path / "export.zip").extractall(tmp_path / "out")
    assert verify(tmp_path / "export.zip")[1] == []
    checker = [sys.executable, "-I", str(tmp_path / "out" / "verify.py")]
    assert subprocess.run(checker, check=False, capture_output=True).returncode == 0
    contacts = tmp_path / "out" / "contacts.csv"
    contacts.write_bytes(contacts.read_bytes().replace(b"Ann", b"Eve"))
    found = subprocess.run(checker, check=False, capture_output=True, text=True)
    assert found.returncode == 1 and "contacts.csv" in found.stdout
    contacts.unlink()
    assert subprocess.run(checker, check=False, capture_output=True).returncode == 1
    (tmp_path / "out" / "manifest.json").unlink()
    assert subprocess.run(checker, check=False, capture_output=True).returncode == 2


def test_a_disk_that_is_full_stops_it_with_a_clear_sentence(export_harness: ExportHarness) -> None:
    order = Order(
        export_harness.tenant,
        Selection(rights=everything()),
        f"exports/{export_harness.tenant.id}/x",
        new_file_key(),
        reserve=2**62,
    )
    with pytest.raises(NoRoom, match="not enough disk space"):
        make_file(order, export_harness.store)
    assert export_harness.files() == []


def test_a_disk_that_fills_up_on_the_way_leaves_nothing(
    export_harness: ExportHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_harness.add(first_name="Ann")
    free = iter([2**60, 2**60])
    monkeypatch.setattr(type(export_harness.store), "free_bytes", lambda _store: next(free, 0))
    export = export_harness.make()
    assert (export.state, export.manifest["problem"]) == ("failed", writer._no_room())
    assert export_harness.files() == []


@pytest.mark.parametrize("change", [{"roles": ["member"]}, {"state": "disabled"}])
def test_it_stops_when_whoever_asked_may_no_longer(
    export_harness: ExportHarness, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    export_harness.add(first_name="Ann")
    copied: list[str] = []

    def take_the_right_away(order: Order, _store: Any, one: Any, *_: Any, **__: Any) -> Any:
        copied.append(one.source.table.name)
        with tenant_transaction(order.tenant) as session:
            session.execute(update(User).where(User.id == export_harness.alice.id).values(**change))
        return writer.FileReport(one.source, one.rows, 0, "", {})

    monkeypatch.setattr(writer, "_write_table", take_the_right_away)
    export = export_harness.make()
    assert export.state == "failed" and "was revoked" in export.manifest["problem"]
    assert copied == [EXPORTED[0].name]
    assert export_harness.files() == []


def test_a_second_export_waits_for_the_first(export_harness: ExportHarness) -> None:
    first, second = export_harness.ask(), export_harness.ask()
    with tenant_transaction(export_harness.tenant) as session:
        session.execute(update(Export).where(Export.id == first.id).values(state="running"))
        session.execute(update(Job).where(Job.id == first.job_id).values(state="running"))
    waiting = export_harness.make_now(second)
    assert waiting.state == "waiting" and waiting.job_id != second.job_id
    with tenant_transaction(export_harness.tenant) as session:
        session.execute(update(Export).where(Export.id == first.id).values(state="ready"))
        session.execute(update(Job).where(Job.id == waiting.job_id).values(run_at=text("now()")))
        assert session.scalar(select(Job.state).where(Job.id == second.job_id)) == "done"
    assert export_harness.make_now(waiting).state == "ready"


def test_more_than_fits_in_memory_needs_little_of_it(export_harness: ExportHarness) -> None:
    with tenant_transaction(export_harness.tenant, statement_timeout_ms=120_000) as session:
        session.execute(
            text(
                "INSERT INTO contacts (id, first_name, description)"
                " SELECT gen_random_uuid(), 'Ann', repeat('long ', 2000) FROM generate_series(1, 16000)"
            )
        )
    export = export_harness.ask(Selection("contacts"))
    settings = export_harness.environment()
    command = [sys.executable, "-m", "tests.exports.peak_memory", str(export_harness.tenant.id), str(export.job_id)]
    said = subprocess.run(command, check=True, capture_output=True, text=True, env=settings).stdout
    assert export_harness.now(export.id).manifest["totals"]["bytes"] > 150_000_000
    assert int(said) < 150
