"""A portable export, restored into an empty organisation, gives the same rows: every column of every business table."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from qikbiz.audit.models import AuditEvent, RecordChange
from qikbiz.crm.companies.models import Company
from qikbiz.crm.contacts.models import Contact, ContactCompany
from qikbiz.identity.accounts.models import User
from qikbiz.kernel.database import tenant_transaction
from qikbiz.kernel.errors import Conflict
from qikbiz.messaging.mail.choices import choices_of
from qikbiz.messaging.mail.models import MailChoice
from qikbiz.transfer.exports.catalogue import EXPORTED, NOT_RESTORED
from qikbiz.transfer.exports.portable_csv import NotPortable, portable_rows
from qikbiz.transfer.exports.restore import NotRestorable, is_archive, restore_archive
from qikbiz.transfer.exports.selection import Selection
from tenants.context import Tenant
from tenants.control import new_id
from tests.exports.conftest import ExportHarness

# All that PostgreSQL can keep: not NUL, and no halves of a pair.
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
TRICKY = st.sampled_from(["", '"', '""', ",", "\r\n", "\n", "\r", "'", "=1+1", "+43", "-5", "@x", "\t", "\uff1d1",
                          "\\N", "NULL", "\ufeff", " ", '","', "ü", "🙂", "\\", "{}", '"\r\n"'])  # fmt: skip
CELLS = st.none() | TEXTS | TRICKY
LISTS = st.lists(TEXTS | TRICKY, max_size=3)
JSON = st.recursive(st.none() | st.booleans() | st.integers() | TEXTS, lambda inner: st.lists(inner, max_size=3)
                    | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=5)  # fmt: skip
DATES = st.none() | st.dates(date(1, 1, 1))
MOMENTS = st.datetimes(timezones=st.just(UTC)).filter(lambda moment: 1 < moment.year < 9999)
MONEY = st.none() | st.decimals(min_value=Decimal("-1e15"), max_value=Decimal("1e15"), places=2)
ENTRIES = st.lists(st.fixed_dictionaries({"label": TEXTS, "address": TEXTS}), max_size=2)
CONTACT = st.fixed_dictionaries(
    {"id": st.builds(new_id), "first_name": CELLS, "last_name": CELLS, "description": CELLS, "sort_name": TEXTS,
     "tags": LISTS, "other_emails": LISTS, "emails": ENTRIES, "phones": ENTRIES, "birthdate": DATES, "city": CELLS,
     "do_not_call": st.booleans(), "created_at": MOMENTS, "deleted_at": st.none() | MOMENTS,
     "version": st.integers(1, 2**63 - 1), "owner_id": st.none() | st.uuids(), "external_id": CELLS}
)  # fmt: skip
COMPANY = st.fixed_dictionaries(
    {"id": st.builds(new_id), "name": TEXTS | TRICKY, "sort_name": TEXTS, "annual_revenue": MONEY, "tags": LISTS,
     "number_of_employees": st.none() | st.integers(-(2**63), 2**63 - 1), "website": CELLS}
)  # fmt: skip
CHANGES = st.dictionaries(TEXTS, st.lists(JSON, min_size=2, max_size=2), max_size=3)


@pytest.fixture
def empty(fresh_tenant: Callable[..., Tenant]) -> Tenant:
    return fresh_tenant("Empty")


def rows_of(tenant: Tenant) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table that is restored, without the columns that can't be the same."""
    with tenant_transaction(tenant) as session:
        return {table.name: _rows(session, table) for table in EXPORTED if table.is_restored}


def _rows(session: Session, table: Any) -> list[tuple[Any, ...]]:
    names = [name for name in table.columns if (table.name, name) not in NOT_RESTORED]
    columns = [table.column(name) for name in names]
    return [tuple(row) for row in session.execute(select(*columns).order_by(*map(table.column, table.order)))]


@contextmanager
def emptied(tenant: Tenant) -> Iterator[None]:
    """Hypothesis makes many examples from the same organisation."""
    yield
    with tenant_transaction(tenant) as session:
        for model in (ContactCompany, Contact, Company):
            session.execute(delete(model))


@pytest.mark.promise("P13")
# Few files with many records each: a record is made in no time, an export and an organisation to restore it in are not.
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    contacts=st.lists(CONTACT, min_size=1, max_size=12),
    companies=st.lists(COMPANY, min_size=1, max_size=6),
    changes=st.lists(CHANGES, min_size=1, max_size=6),
)
def test_whatever_a_record_holds_comes_back_the_same(
    export_harness: ExportHarness,
    fresh_tenant: Callable[..., Tenant],
    tmp_path: Path,
    contacts: list[dict[str, Any]],
    companies: list[dict[str, Any]],
    changes: list[dict[str, Any]],
) -> None:
    empty = fresh_tenant()
    with emptied(export_harness.tenant):
        with tenant_transaction(export_harness.tenant) as session:
            session.execute(insert(Company), companies)
            linked = [contact | {"company_id": companies[0]["id"]} for contact in contacts]
            session.execute(insert(Contact), linked)
            # The first one by id, which is written before the one it refers to.
            session.execute(update(Contact).where(Contact.id == linked[0]["id"]).values(reports_to_id=linked[-1]["id"]))
            for contact, change in zip(contacts, changes, strict=False):
                _note_change(session, contact["id"], change)
            session.execute(
                insert(ContactCompany),
                [{"contact_id": contacts[0]["id"], "company_id": companies[0]["id"], "role": contacts[0]["city"]}],
            )
        file = export_harness.save(export_harness.make(), tmp_path / "export.zip")
        with tenant_transaction(empty):
            restore_archive(file)
        before, after = rows_of(export_harness.tenant), rows_of(empty)
        for name in ("companies", "contacts", "contact_companies", "record_changes"):
            assert after[name] == before[name]


def _note_change(session: Session, contact_id: Any, changes: dict[str, Any]) -> None:
    about = {"record_type": "contact", "record_id": contact_id, "version": 2, "kind": "changed", "source": "form"}
    session.execute(insert(RecordChange).values(**about, actor_kind="user", changes=changes))


@pytest.mark.promise("P13")
@settings(max_examples=200, deadline=None)
@given(rows=st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=5))
def test_the_reader_reads_exactly_what_copy_writes(rows: list[list[str | None]]) -> None:
    def quoted(cell: str | None) -> str:
        return "" if cell is None else '"' + cell.replace('"', '""') + '"'

    text = "".join(",".join(map(quoted, row)) + "\r\n" for row in rows)
    assert list(portable_rows(io.StringIO(text, newline=""))) == rows


@pytest.mark.parametrize("text", ["a,b\r\n", '"a', '"a"\n', '"a"x,"b"\r\n', '"a",'])
def test_what_another_program_wrote_is_not_taken_for_ours(text: str) -> None:
    with pytest.raises(NotPortable):
        list(portable_rows(io.StringIO(text, newline="")))


@pytest.mark.promise("P13")
def test_users_histories_and_audit_come_back_too(export_harness: ExportHarness, empty: Tenant, tmp_path: Path) -> None:
    contact_id = export_harness.add(first_name="Ann", owner_id=export_harness.alice.id)
    with tenant_transaction(export_harness.tenant) as session:
        _note_change(session, contact_id, {"city": [None, "Graz"]})
    file = export_harness.save(export_harness.make(), tmp_path / "export.zip")
    audited = rows_of(export_harness.tenant)["audit_events"][:2]
    with tenant_transaction(empty):
        restored = restore_archive(file)
    after = rows_of(empty)
    assert restored.rows["users"] == 2 and restored.records == 1
    assert after["record_changes"] == rows_of(export_harness.tenant)["record_changes"]
    assert [row for row in audited if row in after["audit_events"]] == audited
    with tenant_transaction(empty) as session:
        alice = session.get_one(User, export_harness.alice.id)
        assert (alice.state, alice.password_hash, alice.last_seen_at) == ("invited", None, None)


def test_somebody_who_has_a_login_here_already_keeps_it_and_their_records(
    export_harness: ExportHarness, tmp_path: Path, fresh_tenant: Callable[..., Tenant], working: object
) -> None:
    other = fresh_tenant("Other")
    with tenant_transaction(other) as session:
        there = new_id()
        address = export_harness.alice.email
        session.add(
            User(id=there, email=address, email_key=address, name="Alice", roles=["administrator"], state="active")
        )
    contact_id = export_harness.add(first_name="Ann", owner_id=export_harness.alice.id)
    file = export_harness.save(export_harness.make(), tmp_path / "export.zip")
    with tenant_transaction(other):
        assert restore_archive(file).joined_users == 1
    with tenant_transaction(other) as session:
        assert session.get_one(Contact, contact_id).owner_id == there
        assert session.get_one(User, there).state == "active"


def test_nothing_is_restored_over_records(export_harness: ExportHarness, tmp_path: Path) -> None:
    export_harness.add(first_name="Ann")
    file = export_harness.save(export_harness.make(), tmp_path / "export.zip")
    before = rows_of(export_harness.tenant)
    with pytest.raises(Conflict), tenant_transaction(export_harness.tenant):
        restore_archive(file)
    assert rows_of(export_harness.tenant) == before


def test_a_changed_file_is_refused_whole(export_harness: ExportHarness, empty: Tenant, tmp_path: Path) -> None:
    export_harness.add(first_name="Ann")
    good = export_harness.save(export_harness.make(), tmp_path / "export.zip")
    bad = tmp_path / "bad.zip"
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(bad, "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name).replace(b"Ann", b"Eve"))
    with pytest.raises(NotRestorable, match="incomplete or changed"), tenant_transaction(empty):
        restore_archive(bad)
    assert rows_of(empty)["contacts"] == []


def test_only_a_portable_export_of_everything_is_restored(
    export_harness: ExportHarness, empty: Tenant, tmp_path: Path
) -> None:
    export_harness.add(first_name="Ann")
    for selection in (Selection("contacts"), Selection(product="spreadsheet")):
        file = export_harness.save(export_harness.make(selection), tmp_path / "other.zip")
        assert is_archive(file)
        with pytest.raises(NotRestorable, match="portable export of everything"), tenant_transaction(empty):
            restore_archive(file)
    (tmp_path / "no.zip").write_bytes(b"PK")
    assert not is_archive(tmp_path / "no.zip")
    with pytest.raises(NotRestorable), tenant_transaction(empty):
        restore_archive(tmp_path / "no.zip")


@pytest.mark.parametrize(
    ("names", "most_bytes"),
    [
        ([f"{number}.csv" for number in range(65)], 2**40),
        (["manifest.json", "../../etc/passwd"], 2**40),
        (["manifest.json", "/etc/passwd"], 2**40),
        (["manifest.json", "contacts.csv"], 40),
    ],
    ids=["many", "dots", "absolute", "bomb"],
)
def test_a_zip_that_was_made_to_do_harm_is_refused_before_anything_is_read(
    working: object, empty: Tenant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: list[str], most_bytes: int
) -> None:
    monkeypatch.setattr("qikbiz.transfer.exports.restore.MOST_BYTES", most_bytes)
    monkeypatch.setattr("qikbiz.transfer.exports.restore.verify", lambda _path: pytest.fail("It was read."))
    with zipfile.ZipFile(tmp_path / "bad.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, b"0" * 30)
    with pytest.raises(NotRestorable, match="far too much"), tenant_transaction(empty):
        restore_archive(tmp_path / "bad.zip")


def test_the_audit_says_where_the_records_came_from(
    export_harness: ExportHarness, empty: Tenant, tmp_path: Path
) -> None:
    export_harness.add(first_name="Ann")
    file = export_harness.save(export_harness.make(), tmp_path / "export.zip")
    with tenant_transaction(empty):
        restore_archive(file)
    with tenant_transaction(empty) as session:
        event = session.scalars(select(AuditEvent).where(AuditEvent.action == "archive.restored")).one()
        assert event.details["from"] == export_harness.tenant.slug and event.details["rows"]["contacts"] == 1


@pytest.mark.promise("P18")
def test_a_restore_forgets_no_decision_about_mails(
    export_harness: ExportHarness, empty: Tenant, tmp_path: Path, fresh_tenant: Callable[..., Tenant]
) -> None:
    choices = [MailChoice(user_id=export_harness.alice.id, category="updates", choice="off", how="mail")]
    with tenant_transaction(export_harness.tenant) as session:
        session.add_all(choices)
    file = export_harness.save(export_harness.make(), tmp_path / "export.zip")
    with tenant_transaction(empty):
        restore_archive(file)
    with tenant_transaction(empty):
        assert choices_of(export_harness.alice.id)["updates"] == "off"


@pytest.mark.promise("P18")
@pytest.mark.parametrize(
    ("years_later", "here", "in_the_file", "afterwards"), [(1, "off", "on", "off"), (-1, "on", "off", "off")]
)
def test_what_was_decided_last_stands_after_a_restore(
    export_harness: ExportHarness,
    empty: Tenant,
    tmp_path: Path,
    years_later: int,
    here: str,
    in_the_file: str,
    afterwards: str,
) -> None:
    then = datetime(2026, 6, 1, tzinfo=UTC)
    now = then.replace(year=then.year + years_later)
    decided = {"category": "improvements", "how": "page"}
    with tenant_transaction(export_harness.tenant) as session:
        session.add(MailChoice(user_id=export_harness.alice.id, choice=in_the_file, changed_at=then, **decided))
    with tenant_transaction(empty) as session:
        there, address = new_id(), export_harness.alice.email
        session.add(User(id=there, email=address, email_key=address, name="Alice", roles=["administrator"]))
        session.flush()
        session.add(MailChoice(user_id=there, choice=here, changed_at=now, **decided))
    file = export_harness.save(export_harness.make(), tmp_path / "export.zip")
    with tenant_transaction(empty):
        restore_archive(file)
    with tenant_transaction(empty):
        assert choices_of(there)["improvements"] == afterwards
