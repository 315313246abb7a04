"""Erased means erased: nothing anywhere names the customer, a certificate says so, and no restore brings it back."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import select, text, update

from provisioning.create import schema_script
from provisioning.erase_tenant import close_what_came_back, erase_due_tenants
from provisioning.migrate import migrate_everything
from provisioning.servers import Connection, connect_as_provisioner
from qikbiz.jobs.models import PlatformJob
from qikbiz.kernel.database import control_transaction, tenant_transaction
from qikbiz.kernel.models import control_metadata
from qikbiz.messaging.mail import actions as mailing
from qikbiz.messaging.mail.models import PlatformMail
from qikbiz.transfer.exports.actions import file_of
from qikbiz.transfer.exports.loading import NotRestorable
from qikbiz.transfer.exports.models import Export
from qikbiz.transfer.exports.restore import restore_archive
from qikbiz.trust.account_closure.certificates import PURPOSE, is_genuine, name_mark, signed_text
from qikbiz.trust.account_closure.erasures import KEPT_TABLES
from qikbiz.trust.account_closure.models import Closing, ErasureCertificate
from tenants.context import Tenant
from tenants.control import ReservedName, TenantRecord
from tests.account_closure.conftest import Leaving
from tests.fixtures.web import Browser
from workers.run_job import perform


def everything_kept(leaving: Leaving) -> str:
    """All rows of the control database that are this tenant's, as text."""
    found = []
    with control_transaction() as control:
        for table in control_metadata().sorted_tables:
            rows = control.execute(select(table)).all()
            its = [str(row) for row in rows if str(leaving.tenant.id) in str(row) or leaving.tenant.slug in str(row)]
            found += [f"{table.name}: {row}" for row in its if table.name != "closing_invoices"]
    return "\n".join(found)


@pytest.mark.promise("P13")
def test_nothing_in_the_control_database_names_the_customer_or_its_people(leaving: Leaving) -> None:
    leaving.browser().post("/closing/request", {"reason": "Because of Wolfgang", "typed": "Leaving & Sons"})
    leaving.to("read_only")
    leaving.to_the_end()
    send_what_waits(leaving)
    kept = everything_kept(leaving)
    for words in ("Leaving & Sons", "Wolfgang", "Alice", "Carol", "example.com"):
        assert words not in kept.replace("closing_certificate", ""), kept
    assert leaving.tenant.slug in kept, "The address stays, so that nobody else is given it."
    with control_transaction() as control:
        assert control.get(ReservedName, leaving.tenant.slug) is not None


@pytest.mark.promise("P13")
def test_the_last_mail_goes_to_whoever_asked_and_its_row_goes_when_it_has_left(erased: Leaving) -> None:
    certificate = erased.certificate
    assert certificate is not None
    mail = waiting_mail(erased)
    with control_transaction():
        values = mailing.opened_values(mail, None)
    assert mail.to_address == erased.people["alice"].email
    assert values["number"] == certificate.number and values["organisation"] == "Leaving & Sons"
    send_what_waits(erased)
    assert erased.mails() == {}


@pytest.mark.promise("P13")
@pytest.mark.parametrize("table", sorted(KEPT_TABLES))
def test_what_is_kept_has_a_reason_and_exists(table: str) -> None:
    assert table in control_metadata().tables and KEPT_TABLES[table].endswith(".")


@pytest.mark.promise("P13")
def test_what_depends_on_an_erased_row_goes_with_it() -> None:
    """A table that refers to one that is emptied must let itself be emptied too, or no erasure would ever end."""
    emptied = {table.name for table in control_metadata().sorted_tables if "tenant_id" in table.c} - set(KEPT_TABLES)
    left = [
        f"{table.name}.{key.parent.name}"
        for table in control_metadata().sorted_tables
        for key in table.foreign_keys
        if key.column.table.name in emptied and key.ondelete != "CASCADE" and table.name not in emptied
    ]
    assert left == []


@pytest.mark.promise("P13")
def test_the_certificate_counts_and_is_signed_for_anybody_to_check(erased: Leaving) -> None:
    certificate = erased.certificate
    assert certificate is not None
    counts = certificate.document["counts"]
    assert counts["tables"] > 10 and counts["rows"] > 20 and counts["table_bytes"] > 100_000
    assert erased.files
    assert (counts["files"], counts["file_bytes"]) == (len(erased.files), sum(erased.files))
    assert not erased.folder.exists()
    raw = erased.world.settings.keys.public_key(PURPOSE, certificate.key_id)
    assert raw is not None
    public = Ed25519PublicKey.from_public_bytes(raw)
    public.verify(certificate.signature, signed_text(certificate.document))
    assert certificate.document["backups_gone_by"] > f"{certificate.issued_at:%Y-%m-%d}"
    assert "Leaving" not in json.dumps(certificate.document)
    assert certificate.document["organisation_name_sha256"] == name_mark(certificate.number, "Leaving & Sons")


@pytest.mark.promise("P13")
def test_anybody_with_its_number_can_check_it(erased: Leaving, browser_at: Callable[[str], Browser]) -> None:
    certificate = erased.certificate
    assert certificate is not None
    site = browser_at("localhost")
    page = site.follow(site.get("/certificates", query_string={"number": certificate.number.lower().replace("-", " ")}))
    assert page.status_code == 200 and "This certificate is authentic" in page.text
    assert str(erased.tenant.id) in page.text and certificate.signature.hex() in page.text
    for words in ("Leaving", "Alice", erased.tenant.slug):
        assert words not in page.text
    assert not page.headers.getlist("Set-Cookie")
    ours = site.get(f"/certificates/{certificate.number}", query_string={"organisation": "Leaving & Sons"})
    assert "was issued for Leaving &amp; Sons" in ours.text
    theirs = site.get(f"/certificates/{certificate.number}", query_string={"organisation": "Globex"})
    assert "was not issued" in theirs.text


@pytest.mark.parametrize("number", ["AAAA-AAAA-AAAA-AAAA", "x", "%00", "' OR 1=1 --", "A" * 500])
def test_a_number_that_is_none_is_said(working: object, browser_at: Callable[[str], Browser], number: str) -> None:
    page = browser_at("localhost").get(f"/certificates/{number}")
    assert page.status_code == 404 and "There is no certificate" in page.text


@pytest.mark.promise("P13")
def test_a_certificate_that_was_changed_is_not_confirmed(erased: Leaving, browser_at: Callable[[str], Browser]) -> None:
    certificate = erased.certificate
    assert certificate is not None and is_genuine(certificate)
    changed = certificate.document | {"counts": certificate.document["counts"] | {"rows": 1}}
    for document, status in ((changed, 404), (certificate.document, 200)):
        with control_transaction() as control:
            its = update(ErasureCertificate).where(ErasureCertificate.number == certificate.number)
            control.execute(its.values(document=document))
        assert browser_at("localhost").get(f"/certificates/{certificate.number}").status_code == status


@pytest.mark.promise("P13")
def test_nothing_is_erased_before_the_last_reminder_is_a_day_old(leaving: Leaving) -> None:
    """Nothing ran for five weeks: the day that was promised is still given."""
    leaving.to("read_only")
    leaving.clock.move(days=35)
    leaving.advance()
    assert leaving.closing.state == "read_only" and leaving.mails()["reminder"] == 2
    assert leaving.closing.erase_after == leaving.record.read_only_until
    leaving.clock.move(hours=23)
    leaving.advance()
    assert leaving.closing.state == "read_only"
    leaving.clock.move(hours=1, minutes=1)
    leaving.advance()
    assert leaving.closing.state == "erased"


@pytest.mark.promise("P13")
def test_a_restored_control_database_and_schema_are_erased_again(
    leaving: Leaving, owner_connection: Connection, browser_at: Callable[[str], Browser]
) -> None:
    leaving.to("read_only")
    leaving.advance()
    before = row_of(leaving.tenant.id)
    leaving.to_the_end()
    certificate = leaving.certificate
    assert certificate is not None
    bring_back(leaving, before)
    with control_transaction() as control:
        control.execute(text("DELETE FROM erased_tenants WHERE tenant_id = :id"), {"id": leaving.tenant.id})
        control.execute(text("DELETE FROM erasure_certificates WHERE tenant_id = :id"), {"id": leaving.tenant.id})
    assert erase_due_tenants(leaving.world.settings) == [leaving.tenant.slug]
    leaving.look()
    found = owner_connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (leaving.tenant.schema,))
    assert found.fetchone() is None and leaving.record.name == leaving.tenant.slug
    again = leaving.certificate
    assert again is not None and again.signature == certificate.signature
    assert leaving.mails() == {"certificate": 1}
    assert browser_at(leaving.tenant.host).get("/login").status_code == 410
    assert erase_due_tenants(leaving.world.settings) == []


@pytest.mark.promise("P13")
def test_the_doors_of_what_came_back_are_shut_before_anything_starts(leaving: Leaving) -> None:
    leaving.to("read_only")
    leaving.advance()
    before = row_of(leaving.tenant.id)
    leaving.to_the_end()
    bring_back(leaving, before)
    assert leaving.record.state == "active"
    migrate_everything(leaving.world.settings)
    assert leaving.record.state == "closed"
    assert erase_due_tenants(leaving.world.settings) == [leaving.tenant.slug]


@pytest.mark.promise("P13")
def test_a_schema_alone_that_was_restored_is_dropped_again(leaving: Leaving, owner_connection: Connection) -> None:
    leaving.to("read_only")
    leaving.to_the_end()
    bring_back(leaving, None)
    assert close_what_came_back(leaving.world.settings) == [leaving.tenant.id]
    assert erase_due_tenants(leaving.world.settings) == [leaving.tenant.slug]
    found = owner_connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (leaving.tenant.schema,))
    assert found.fetchone() is None


@pytest.mark.promise("P13")
def test_an_export_of_an_erased_account_is_restored_only_for_its_owner(
    leaving: Leaving, fresh_tenant: Callable[..., Tenant], tmp_path: Path
) -> None:
    leaving.to("read_only")
    file = tmp_path / "export.zip"
    with tenant_transaction(leaving.tenant) as session:
        export = session.get_one(Export, leaving.closing.export_id)
        file.write_bytes(b"".join(file_of(export).read()))
    leaving.to_the_end()
    other = fresh_tenant("Back Again")
    with pytest.raises(NotRestorable, match="was erased on"), tenant_transaction(other):
        restore_archive(file)
    with tenant_transaction(other):
        assert restore_archive(file, is_own=True).rows["users"] == 5


def waiting_mail(leaving: Leaving) -> PlatformMail:
    with control_transaction() as control:
        its = PlatformMail.dedupe_key.startswith(f"closing:{leaving.closing.id}:")
        return control.scalars(select(PlatformMail).where(its)).one()


def send_what_waits(leaving: Leaving) -> None:
    """The last mail, by the code of the worker; then a round, which deletes it."""
    mail = waiting_mail(leaving)
    with control_transaction() as control:
        jobs = control.scalars(select(PlatformJob).where(PlatformJob.kind == "mail.send_platform")).all()
        job_id = next(job.id for job in jobs if job.arguments["mail"] == str(mail.id))
    assert perform(None, job_id) == "done"
    leaving.advance()


def row_of(tenant_id: UUID) -> dict[str, object]:
    table = TenantRecord.__table__
    with control_transaction() as control:
        return dict(control.execute(select(table).where(table.c.id == tenant_id)).one()._mapping)


def bring_back(leaving: Leaving, row: dict[str, object] | None) -> None:
    """What a restore of yesterday's back-up does: the schema stands again, and perhaps the tenant's row."""
    with connect_as_provisioner(leaving.world.settings) as connection:
        script = schema_script(leaving.tenant, server_version=connection.info.server_version)
        connection.execute(script.encode())
        connection.commit()
    if row is not None:
        with control_transaction() as control:
            control.execute(update(TenantRecord).where(TenantRecord.id == leaving.tenant.id).values(row))


@pytest.mark.promise("P13")
def test_a_few_hours_more_are_given_too(leaving: Leaving) -> None:
    """The last reminder is a day old already, but an operator moved the end to the evening."""
    leaving.to("read_only")
    leaving.advance()
    leaving.clock.move(days=29, minutes=1)
    leaving.advance()
    until = leaving.closing.erase_after
    assert until is not None
    leaving.clock.move(seconds=(until - leaving.clock.now()).total_seconds() - 3600)
    later = until + timedelta(hours=1)
    with control_transaction() as control:
        closing = control.get_one(Closing, leaving.closing.id)
        closing.erase_after = control.get_one(TenantRecord, leaving.tenant.id).read_only_until = later
    leaving.clock.move(hours=1, minutes=1)
    leaving.advance()
    assert leaving.closing.state == "read_only"
    leaving.clock.move(hours=1)
    leaving.advance()
    assert leaving.closing.state == "erased"
