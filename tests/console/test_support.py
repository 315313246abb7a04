"""Support exports and imports for a customer under its grant or written instruction, and sees counts, never records."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from qikbiz.audit.models import AuditEvent
from qikbiz.crm.contacts.models import Contact
from qikbiz.kernel.database import tenant_transaction
from qikbiz.messaging.mail.models import Mail
from qikbiz.transfer.exports.models import Export
from qikbiz.transfer.imports.models import Import
from qikbiz.trust.grants.models import Grant
from tenants.control import new_id
from tests.fixtures.grants import Customer
from tests.fixtures.web import Browser
from workers.run_job import perform

CSV = (
    b"First name,Last name,Email\nAda,Canary-Byron,ada@example.com\n"
    b"Grace,Canary-Hopper,grace@example.com\n,,not an address\n"
)
WORDS = "Mail of Ann Lee, 3 November"


@pytest.mark.promise("P11")
@pytest.mark.promise("P8")
def test_an_instruction_is_written_down_told_and_can_be_ended(customer: Customer) -> None:
    url = f"/tenants/{customer.tenant.slug}/support/instructions"
    refused = customer.sam.post(url, {"scope": "export", "instruction": "  "})
    assert refused.status_code == 400 and "Enter a reason" in refused.text
    grant = customer.instruct("export", WORDS)
    assert ("grant.instruction_recorded", "Sam", grant.reference) in customer.acts()
    with tenant_transaction(customer.tenant) as session:
        told = list(session.scalars(select(Mail.to_name).where(Mail.template == "instruction_recorded")))
    assert "Ann" in told
    page = customer.ann.get(f"/access/{grant.id}")
    assert WORDS in page.text and "your written instruction" in page.text
    assert customer.ann.post(f"/access/{grant.id}/end").status_code == 303
    assert _ask_export(customer, grant).status_code == 403


LOOKING = ("see", "change", "everything")


@pytest.mark.promise("P11")
@pytest.mark.promise("P8")
def test_by_an_instruction_nobody_comes_in_to_look(customer: Customer, subtests: pytest.Subtests) -> None:
    url = f"/tenants/{customer.tenant.slug}/support/instructions"
    for scope in LOOKING:
        with subtests.test(scope):
            refused = customer.sam.post(url, {"scope": scope, "instruction": WORDS})
            assert refused.status_code == 400 and "To view records, ask for access" in refused.text


@pytest.mark.promise("P8")
def test_an_export_is_made_under_an_instruction(customer: Customer) -> None:
    customer.add_contact("Lovelace")
    grant = customer.instruct("export", WORDS)
    asked = _ask_export(customer, grant)
    assert asked.status_code in (302, 303), asked.text[-2000:]
    with tenant_transaction(customer.tenant) as session:
        export = session.scalars(select(Export)).one()
        assert (export.actor_kind, export.grant_id) == ("staff", grant.id)
        job_id = export.job_id
    assert job_id is not None
    assert perform(customer.tenant.id, job_id) == "done"
    with tenant_transaction(customer.tenant) as session:
        export = session.scalars(select(Export)).one()
        assert export.state == "ready", export.manifest
        events = session.scalars(select(AuditEvent).where(AuditEvent.action.in_(("export.asked", "export.ready"))))
        said = {(event.actor_name, event.details["instruction"]) for event in events}
    assert said == {("Sam", f"{grant.reference}: {WORDS}")}
    assert "The export is ready" in customer.sam.get(asked.location).text
    assert grant.reference in customer.sam.get(f"/tenants/{customer.tenant.slug}/support").text


@pytest.mark.promise("P8")
def test_an_export_ends_when_the_customer_ends_the_access_meanwhile(customer: Customer) -> None:
    grant = customer.give("export")
    assert _ask_export(customer, grant).status_code in (302, 303)
    with tenant_transaction(customer.tenant) as session:
        job_id = session.scalars(select(Export.job_id)).one()
    assert customer.ann.post(f"/access/{grant.id}/end").status_code == 303
    assert job_id is not None
    perform(customer.tenant.id, job_id)
    with tenant_transaction(customer.tenant) as session:
        export = session.scalars(select(Export)).one()
        assert export.state == "failed" and export.file_path is None
    assert "has ended" in customer.ann.get(f"/exports/{export.id}").text


def test_a_double_click_is_one_export(customer: Customer) -> None:
    grant, same = customer.instruct("export"), str(new_id())
    first, second = (_ask_export(customer, grant, id=same).location for _ in range(2))
    assert first == second
    with tenant_transaction(customer.tenant) as session:
        assert len(session.scalars(select(Export)).all()) == 1


@pytest.mark.promise("P11")
@pytest.mark.promise("P8")
def test_a_file_is_checked_applied_and_undone_under_an_instruction(customer: Customer) -> None:
    grant = customer.instruct("import", "Ticket 12")
    asked = _upload(customer, grant)
    assert asked.status_code in (302, 303), asked.text[-2000:]
    assert _perform_job_of_import(customer) == "done"
    checked = customer.sam.get(asked.location)
    assert "<span>Import</span>" in checked.text and "Canary" not in checked.text
    act = asked.location.replace("/imports/", "/imports/")
    assert customer.sam.post(f"{act}/application").status_code in (302, 303)
    assert _perform_job_of_import(customer) == "done"
    assert "Imported" in customer.sam.get(asked.location).text
    with tenant_transaction(customer.tenant) as session:
        assert len(session.scalars(select(Contact)).all()) == 2
        event = session.scalars(select(AuditEvent).where(AuditEvent.action == "import.applied")).one()
        assert event.details["instruction"] == f"{grant.reference}: Ticket 12"
    assert customer.sam.post(f"{act}/reversal").status_code in (302, 303)
    assert _perform_job_of_import(customer) == "done"
    with tenant_transaction(customer.tenant) as session:
        assert session.scalars(select(Contact)).all() == []


@pytest.mark.promise("P11")
@pytest.mark.promise("P8")
def test_the_customer_takes_back_what_staff_imported(customer: Customer) -> None:
    grant = customer.instruct("import", "Ticket 12")
    asked = _upload(customer, grant)
    _perform_job_of_import(customer)
    customer.sam.post(f"{asked.location}/application")
    _perform_job_of_import(customer)
    import_id = asked.location.rsplit("/", 1)[1]
    page = customer.ann.get(f"/imports/{import_id}")
    assert "Ticket 12" in page.text
    customer.ann.post(f"/access/{grant.id}/end")
    assert customer.ann.post(f"/imports/{import_id}/undo").status_code in (302, 303)
    assert _perform_job_of_import(customer) == "done"
    with tenant_transaction(customer.tenant) as session:
        assert session.scalars(select(Contact)).all() == []


@pytest.mark.promise("P11")
@pytest.mark.promise("P8")
def test_without_a_grant_for_it_nothing_is_begun(customer: Customer, client_for: Callable[[str], Browser]) -> None:
    to_see, to_export = customer.give("see"), customer.give("export")
    assert _ask_export(customer, to_see).status_code == 403
    assert _upload(customer, to_export).status_code == 403
    assert customer.sam.post(f"/tenants/{customer.tenant.slug}/support/exports", {}).status_code == 400
    # Another organisation's grant opens nothing here.
    elsewhere = client_for("sam").post("/tenants/globex/support/exports", {"grant": str(to_export.id)})
    assert elsewhere.status_code == 403
    with tenant_transaction(customer.tenant) as session:
        assert session.scalar(text("SELECT count(*) FROM exports")) == 0
        assert session.scalar(text("SELECT count(*) FROM imports")) == 0


@pytest.mark.promise("P8")
def test_what_the_customers_own_people_do_is_not_shown(customer: Customer) -> None:
    with tenant_transaction(customer.tenant) as session:
        own = Export(scope="everything", actor_kind="user", requested_by_name="Canary-Ann")
        session.add(own)
        session.flush()
        own_id = own.id
    grant, base = customer.instruct("export"), f"/tenants/{customer.tenant.slug}/support"
    assert "Canary-Ann" not in customer.sam.get(base).text
    assert customer.sam.get(f"{base}/{grant.id}/exports/{own_id}").status_code == 404


NEEDED = ("file", "grant", "type")


@pytest.mark.promise("P11")
def test_an_incomplete_import_is_refused_and_nothing_is_kept(customer: Customer, subtests: pytest.Subtests) -> None:
    grant = customer.instruct("import")
    for missing in NEEDED:
        with subtests.test(missing):
            form: dict[str, Any] = {"grant": str(grant.id), "type": "contacts", "key": "email", "mode": "upsert"}
            form["file"] = (io.BytesIO(CSV), "people.csv")
            del form[missing]
            page = customer.sam.post(f"/tenants/{customer.tenant.slug}/support/imports", form)
            assert 400 <= page.status_code < 500
            with tenant_transaction(customer.tenant) as session:
                assert session.scalar(text("SELECT count(*) FROM imports")) == 0


def test_a_customer_can_t_reach_the_page(customer: Customer, client_for: Callable[[str], Browser]) -> None:
    assert client_for("alice").get(f"/tenants/{customer.tenant.slug}/support").status_code == 404


def _ask_export(customer: Customer, grant: Grant, **more: str) -> Any:
    form = {"grant": str(grant.id), "scope": "everything", "product": "portable", **more}
    return customer.sam.post(f"/tenants/{customer.tenant.slug}/support/exports", form)


def _upload(customer: Customer, grant: Grant) -> Any:
    form = {"grant": str(grant.id), "type": "contacts", "key": "email", "mode": "upsert"}
    upload = {**form, "file": (io.BytesIO(CSV), "people.csv")}
    return customer.sam.post(f"/tenants/{customer.tenant.slug}/support/imports", upload)


def _perform_job_of_import(customer: Customer) -> str:
    with tenant_transaction(customer.tenant) as session:
        job_id: UUID | None = session.scalars(select(Import.job_id)).one()
    assert job_id is not None
    return perform(customer.tenant.id, job_id)
