"""A person asks what is kept about them, and to be erased: everything, everywhere, with a receipt."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import insert, select, text

from provisioning.cli.receipt import receipt as receipt_command
from provisioning.erase_person import erase_again, erase_person
from provisioning.servers import Connection
from qikbiz.audit.actions import record
from qikbiz.audit.models import AuditEvent
from qikbiz.audit.verification import check_tenant
from qikbiz.audit.verify import MEMBER, verify
from qikbiz.crm.contacts.models import Contact
from qikbiz.files.store import FolderStore
from qikbiz.kernel.database import tenant_transaction
from qikbiz.messaging.mail.models import Mail
from qikbiz.messaging.notifications.models import Notification
from qikbiz.transfer.exports.actions import file_of
from qikbiz.transfer.exports.models import Export
from qikbiz.transfer.exports.restore import restore_archive
from qikbiz.transfer.imports.models import Import, ImportRow
from qikbiz.trust.data_subject_requests.models import Erasure, Tombstone
from tenants.context import Tenant
from tenants.control import new_id
from tests.fixtures.world import Organisation, World
from workers.run_job import perform

pytestmark = pytest.mark.promise("P6")
CANARY = "zaphod"
ADDRESS = f"{CANARY}@example.com"


def fetched(organisation: Organisation, export_id: str, path: Path) -> Path:
    """Do the job of an export, and fetch its file."""
    with tenant_transaction(organisation.tenant) as session:
        job_id = session.get_one(Export, export_id).job_id
    assert job_id and perform(organisation.tenant.id, job_id) == "done"
    with tenant_transaction(organisation.tenant) as session:
        path.write_bytes(b"".join(file_of(session.get_one(Export, export_id)).read()))
    return path


@pytest.fixture
def person(organisation: Organisation) -> str:
    """A contact with a history, a mail, a staged row of an import, and mentions."""
    ident = organisation.add_contact(
        first_name=CANARY.title(), last_name="Beeblebrox", email=ADDRESS, phone="+43 1 234", job_title="President"
    )
    organisation.browser("ben").post(
        f"/contacts/{ident}/fields/city", {"version": "1", "was": "", "city": f"{CANARY} City"}
    )
    organisation.browser("bob").get(f"/contacts/{ident}")
    with organisation.work() as session:
        session.add(
            Mail(dedupe_key=f"to {ident}", category="notification", template="x", to_address=ADDRESS.upper(),
                 subject=f"Dear {CANARY}", state="sent")
        )  # fmt: skip
        import_id = new_id()
        session.add(
            Import(id=import_id, record_type="contacts", state="mapped", file_name="people.csv", file_path="imports/x",
                   file_key=b"key", file_bytes=1, file_sha256="", mapping={})
        )  # fmt: skip
        row = {"import_id": import_id, "outcome": "created", "problems": None}
        session.execute(insert(ImportRow).values(**row, row=2, key=ADDRESS, values=[CANARY, ADDRESS]))
        session.execute(insert(ImportRow).values(**row, row=3, key="o@example.com", values=["Other", "o@example.com"]))
        alice = organisation.people["alice"].id
        told = {"kind": "assigned", "subject": f"{CANARY} is yours", "url": f"/contacts/{ident}", "mail": "none"}
        session.add(Notification(user_id=alice, **told))
        record("company.changed", record_type="company", record_id=new_id(), details={"note": f"ask {ADDRESS}"})
    return ident


def ask(organisation: Organisation, ident: str, name: str = "alice", **form: str) -> Any:
    form = {"typed": f"{CANARY.title()} Beeblebrox", "reference": "Request 7"} | form
    return organisation.browser(name).post(f"/contacts/{ident}/person/erasure", form)


def erase(organisation: Organisation, ident: str) -> Erasure:
    answer = ask(organisation, ident)
    assert answer.status_code == 303, answer.text
    with tenant_transaction(organisation.tenant) as session:
        erasure = session.get_one(Erasure, answer.location.rpartition("/")[2])
        assert erasure.job_id is not None
    assert perform(organisation.tenant.id, erasure.job_id) == "done"
    with tenant_transaction(organisation.tenant) as session:
        return session.get_one(Erasure, erasure.id)


def whole_schema(tenant: Tenant, connection: Connection) -> str:
    """Every row of every table of the tenant, as text."""
    tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", (tenant.schema,)).fetchall()
    rows = (connection.execute(f'SELECT t::text FROM "{tenant.schema}"."{name}" t'.encode()) for (name,) in tables)
    return "\n".join(row[0] for found in rows for row in found.fetchall()).lower()


def test_the_file_holds_everything_about_the_person_and_names_no_colleague(
    organisation: Organisation, person: str, tmp_path: Path
) -> None:
    page = organisation.browser("alice").get(f"/contacts/{person}")
    assert f"/contacts/{person}/person" in page.text
    assert organisation.browser("alice").get(f"/contacts/{person}/person").status_code == 200
    answer = organisation.browser("alice").post(f"/contacts/{person}/person/file")
    assert answer.status_code == 303, answer.text
    archive = zipfile.ZipFile(fetched(organisation, answer.location.rpartition("/")[2], tmp_path / "person.zip"))
    document = json.loads(archive.read("about-you.json"))
    fields = {field["name"]: field["value"] for field in document["fields"]}
    assert (fields["email"], fields["job_title"], fields["city"]) == (ADDRESS, "President", f"{CANARY} City")
    assert [entry["what"] for entry in document["history"]] == ["created", "changed"]
    assert document["imports"][0]["rows_still_kept"][0]["row"] == 2 and len(document["imports"]) == 1
    assert [mail["subject"] for mail in document["mails"]] == [f"Dear {CANARY}"]
    assert {"contact.created", "contact.changed", "contact.read"} <= {event["what"] for event in document["audit"]}
    shown = archive.read("about-you.html").decode()
    assert f"{CANARY} City" in shown and "Dear" in shown and "President" in shown
    for text_ in (shown, archive.read("about-you.json").decode()):
        assert not [name for name in ("Alice", "Ben", "Bob") if name in text_]
    assert "Data of one person" in organisation.browser("alice").get(answer.location).text


@pytest.mark.parametrize("path", ["person", "person/file", "person/erasure"])
def test_only_who_may_answer_people_and_only_here(
    organisation: Organisation, person: str, path: str, client_for: Callable[[str], Any]
) -> None:
    for name, status in (("ben", 403), ("bob", 403)):
        browser = organisation.browser(name)
        found = (
            browser.get(f"/contacts/{person}/person")
            if path == "person"
            else browser.post(f"/contacts/{person}/{path}")
        )
        assert found.status_code == status
        assert "Privacy request" not in browser.get(f"/contacts/{person}").text
    mallory = client_for("mallory")
    found = (
        mallory.get(f"/contacts/{person}/person") if path == "person" else mallory.post(f"/contacts/{person}/{path}")
    )
    assert found.status_code == 404


def test_a_wrong_name_erases_nothing(organisation: Organisation, person: str) -> None:
    assert ask(organisation, person, typed="Zaphod").status_code == 400
    assert ask(organisation, person, reference="x" * 101).status_code == 400
    assert organisation.browser("alice").get(f"/contacts/{person}").status_code == 200
    with tenant_transaction(organisation.tenant) as session:
        assert session.scalars(select(Erasure)).all() == []


def test_asking_twice_is_one_erasure(organisation: Organisation, person: str) -> None:
    assert ask(organisation, person).location == ask(organisation, person).location


def test_erased_means_that_no_table_knows_the_person_any_more(
    organisation: Organisation, person: str, world: World, owner_connection: Connection, tmp_path: Path
) -> None:
    store = FolderStore(world.settings.files)
    export = organisation.browser("alice").post("/exports/", {"scope": "everything", "product": "portable"})
    export_id = export.location.rpartition("/")[2]
    fetched(organisation, export_id, tmp_path / "before.zip")
    assert CANARY in whole_schema(organisation.tenant, owner_connection)
    assert check_tenant(organisation.tenant) == ""
    erasure = erase(organisation, person)
    assert erasure.state == "done"
    assert CANARY not in whole_schema(organisation.tenant, owner_connection)
    assert store.names(f"exports/{organisation.tenant.id}/") == []
    alice = organisation.browser("alice")
    assert alice.get(f"/contacts/{person}").status_code == 404
    assert alice.get(f"/exports/{export_id}/file").status_code == 410
    counts = erasure.document["counts"]
    assert counts["contacts"] == 1 and counts["history"] == 2 and counts["mails"] == 1 and counts["import_rows"] == 1
    assert counts["audit_events"] >= 4 and counts["export_files"] == 1 and counts["uploaded_files"] == 1
    with tenant_transaction(organisation.tenant) as session:
        found = session.scalars(select(Import)).one()
        assert (found.state, found.file_key) == ("cancelled", None)
        assert session.scalars(select(ImportRow.row)).all() == [3]


def test_the_audit_stays_whole_and_says_who_ordered_it(organisation: Organisation, person: str, tmp_path: Path) -> None:
    assert check_tenant(organisation.tenant) == ""
    erase(organisation, person)
    assert check_tenant(organisation.tenant) == ""
    answer = organisation.browser("alice").post("/audit/exports")
    file = fetched(organisation, answer.location.rpartition("/")[2], tmp_path / "audit.zip")
    report = verify(file)
    assert report.fault == "" and report.erased >= 4
    lines = [json.loads(line) for line in zipfile.ZipFile(file).read(MEMBER).decode().splitlines()[1:]]
    last = next(line for line in lines if line["action"] == "contact.erased")
    assert (last["actor_name"], last["record_id"]) == ("Alice", person)
    assert CANARY not in zipfile.ZipFile(file).read(MEMBER).decode().lower()
    assert "content erased" in organisation.browser("alice").get("/audit").text


def test_the_receipt_is_checked_with_the_public_key_alone(
    organisation: Organisation, person: str, tmp_path: Path, browser_at: Callable[[str], Any], world: World
) -> None:
    erasure = erase(organisation, person)
    alice = organisation.browser("alice")
    page = alice.get(f"/persons/erasures/{erasure.id}").text
    assert "Request 7" in page and CANARY not in page.lower()
    handed_out = alice.get(f"/persons/erasures/{erasure.id}/receipt")
    assert "attachment" in handed_out.headers["Content-Disposition"]
    path = tmp_path / "receipt.json"
    path.write_text(handed_out.text)
    (key,) = browser_at(world.settings.base_domain).get("/receipts/keys").json["keys"]
    checked = CliRunner().invoke(receipt_command, [str(path), "--key", key["public_key"]])
    assert checked.exit_code == 0 and person in checked.stdout, checked.output
    path.write_text(handed_out.text.replace('"contacts": 1', '"contacts": 2'))
    assert CliRunner().invoke(receipt_command, [str(path), "--key", key["public_key"]]).exit_code == 1
    path.write_text(handed_out.text)
    assert CliRunner().invoke(receipt_command, [str(path), "--key", "00" * 32]).exit_code == 1
    for rubbish in ("", "[]", "{}", '{"document": {"format": "x"}}', "\x00"):
        path.write_text(rubbish)
        answer = CliRunner().invoke(receipt_command, [str(path), "--key", key["public_key"]])
        assert answer.exit_code == 1 and "isn't an erasure receipt" in answer.stderr


def test_receipts_are_for_those_who_may_answer(
    organisation: Organisation, person: str, client_for: Callable[[str], Any]
) -> None:
    erasure = erase(organisation, person)
    for path in ("", f"/{erasure.id}", f"/{erasure.id}/receipt"):
        assert organisation.browser("ben").get(f"/persons/erasures{path}").status_code == 403
        if path:
            assert client_for("mallory").get(f"/persons/erasures{path}").status_code == 404
    assert "Request 7" in organisation.browser("alice").get("/persons/erasures").text


def test_done_again_it_does_nothing_more(organisation: Organisation, person: str, world: World) -> None:
    erasure = erase(organisation, person)
    assert erase_person(world.settings, organisation.tenant, erasure.id) is False
    with tenant_transaction(organisation.tenant) as session:
        assert len(session.scalars(select(AuditEvent).where(AuditEvent.action == "contact.erased")).all()) == 1
        tombstone = session.scalars(select(Tombstone)).one()
    assert str(tombstone.record_id) == person and len(tombstone.marks) == 1 and ADDRESS not in str(tombstone.marks)


def test_an_archive_from_before_does_not_bring_the_person_back(
    organisation: Organisation,
    person: str,
    tmp_path: Path,
    fresh_tenant: Callable[..., Tenant],
    owner_connection: Connection,
) -> None:
    other = organisation.add_contact(first_name="Arthur", reports_to_id=None)
    with organisation.work() as session:
        session.get_one(Contact, other).reports_to_id = session.get_one(Contact, person).id
    export = organisation.browser("alice").post("/exports/", {"scope": "everything", "product": "portable"})
    archive = fetched(organisation, export.location.rpartition("/")[2], tmp_path / "before.zip")
    erase(organisation, person)
    elsewhere = fresh_tenant("Elsewhere")
    with tenant_transaction(elsewhere):
        restored = restore_archive(archive)
    assert restored.rows["contacts"] == 1
    with tenant_transaction(elsewhere) as session:
        assert [str(ident) for ident in session.scalars(select(Contact.id))] == [other]
        assert session.get_one(Contact, other).reports_to_id is None
        event = session.scalars(select(AuditEvent).where(AuditEvent.action == "archive.restored")).one()
        assert event.details["erased_before"] == 1
        assert event.details["audit"][0]["chain"] == str(organisation.tenant.id)
        about = session.scalars(select(AuditEvent).where(AuditEvent.record_id == person)).all()
        assert about and all(one.salt is None and not one.details for one in about)
    assert check_tenant(elsewhere) == ""


def test_a_tombstone_travels_with_the_export_and_holds_elsewhere(
    organisation: Organisation, person: str, tmp_path: Path, fresh_tenant: Callable[..., Tenant], world: World
) -> None:
    erase(organisation, person)
    export = organisation.browser("alice").post("/exports/", {"scope": "everything", "product": "portable"})
    archive = fetched(organisation, export.location.rpartition("/")[2], tmp_path / "after.zip")
    elsewhere = fresh_tenant("Elsewhere")
    with tenant_transaction(elsewhere):
        restore_archive(archive)
    with tenant_transaction(elsewhere) as session:
        assert str(session.scalars(select(Tombstone.record_id)).one()) == person
        # As a back-up of the database would restore it.
        session.execute(insert(Contact).values(id=person, first_name=CANARY, sort_name=CANARY, email=ADDRESS))
    assert erase_again(world.settings, elsewhere) == 1
    with tenant_transaction(elsewhere) as session:
        assert session.get(Contact, person) is None
    assert erase_again(world.settings, elsewhere) == 0


def test_a_schema_restored_from_before_the_erasure_is_erased_again(
    organisation: Organisation, person: str, world: World, owner_connection: Connection
) -> None:
    """The tombstone went with the schema; the control database still knows."""
    erase(organisation, person)
    with organisation.work() as session:
        session.execute(text("DELETE FROM tombstones"))
        session.execute(insert(Contact).values(id=person, first_name=CANARY, sort_name=CANARY, email=ADDRESS))
    assert erase_again(world.settings, organisation.tenant) == 1
    assert CANARY not in whole_schema(organisation.tenant, owner_connection)


def test_somebody_who_works_with_the_contact_makes_the_erasure_wait_not_fail(
    organisation: Organisation, person: str, world: World, owner_connection: Connection
) -> None:
    answer = ask(organisation, person)
    with tenant_transaction(organisation.tenant) as session:
        erasure = session.get_one(Erasure, answer.location.rpartition("/")[2])
    schema = organisation.tenant.schema
    with owner_connection.transaction():
        owner_connection.execute(f"SELECT 1 FROM {schema}.contacts WHERE id = '{person}' FOR UPDATE".encode())
        assert erasure.job_id and perform(organisation.tenant.id, erasure.job_id) == "put off"
    assert erase_person(world.settings, organisation.tenant, erasure.id) is True
