"""Support exports and imports for a customer on its instruction, and sees counts, never records."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from sqlalchemy import select, text

from qikbiz.audit.models import AuditEvent
from qikbiz.contacts.models import Contact
from qikbiz.database import tenant_work
from qikbiz.exports.models import Export
from qikbiz.imports.models import Import
from tenants.context import Tenant
from tenants.control import new_id
from tenants.runtime import Runtime
from tests.fixtures.web import Browser
from workers.wrapper import perform

ClientFor = Callable[[str], Browser]
CSV = (
    b"First name,Last name,Email\nAda,Canary-Byron,ada@example.com\n"
    b"Grace,Canary-Hopper,grace@example.com\n,,not an address\n"
)


@pytest.fixture
def customer(fresh_tenant: Callable[..., Tenant], app: object, working: Runtime) -> Iterator[Tenant]:
    tenant = fresh_tenant("Served Ltd")
    app.extensions["qikbiz"].directory.look()  # type: ignore[attr-defined]  # the application under test
    yield tenant


def test_an_export_needs_an_instruction_which_the_customer_reads(client_for: ClientFor, customer: Tenant) -> None:
    sam, url = client_for("sam"), f"/tenants/{customer.slug}/support/exports"
    refused = sam.post(url, {"instruction": "  ", "scope": "everything", "product": "portable"})
    assert refused.status_code == 400 and "who asked for this" in refused.text
    asked = sam.post(url, {"instruction": "Mail of Ann Lee, 3 November", "scope": "everything", "product": "portable"})
    assert asked.status_code in (302, 303)
    with tenant_work(customer) as session:
        export = session.scalars(select(Export)).one()
        assert (export.actor_kind, export.instruction) == ("staff", "Mail of Ann Lee, 3 November")
        event = session.scalars(select(AuditEvent).where(AuditEvent.action == "export.asked")).one()
        assert event.actor_kind == "staff" and event.details["instruction"] == "Mail of Ann Lee, 3 November"
        job_id = export.job_id
    assert job_id is not None
    perform(customer.id, job_id)
    page = sam.get(asked.location)
    assert "The export is ready" in page.text
    assert "Mail of Ann Lee" in sam.get(f"/tenants/{customer.slug}/support").text


def test_a_double_click_is_one_export(client_for: ClientFor, customer: Tenant) -> None:
    sam, url = client_for("sam"), f"/tenants/{customer.slug}/support/exports"
    form = {"instruction": "By phone", "scope": "contacts", "product": "portable", "id": str(new_id())}
    assert sam.post(url, form).location == sam.post(url, form).location
    with tenant_work(customer) as session:
        assert len(session.scalars(select(Export)).all()) == 1


def test_a_file_is_checked_applied_and_undone_on_an_instruction(client_for: ClientFor, customer: Tenant) -> None:
    sam = client_for("sam")
    form = {"instruction": "Ticket 12", "type": "contacts", "key": "email", "mode": "upsert"}
    upload = {**form, "file": (io.BytesIO(CSV), "people.csv")}
    asked = sam.post(f"/tenants/{customer.slug}/support/imports", upload)
    assert asked.status_code in (302, 303), asked.text[-2000:]
    _perform_job_of_import(customer)
    checked = sam.get(asked.location)
    assert "Import exactly this" in checked.text and "Canary" not in checked.text
    assert sam.post(f"{asked.location}/application").status_code in (302, 303)
    _perform_job_of_import(customer)
    assert "Imported" in sam.get(asked.location).text
    with tenant_work(customer) as session:
        assert len(session.scalars(select(Contact)).all()) == 2
        event = session.scalars(select(AuditEvent).where(AuditEvent.action == "import.applied")).one()
        assert event.details["instruction"] == "Ticket 12"
    assert sam.post(f"{asked.location}/reversal").status_code in (302, 303)
    _perform_job_of_import(customer)
    with tenant_work(customer) as session:
        assert session.scalars(select(Contact)).all() == []


def test_what_the_customer_s_own_people_do_is_not_shown(client_for: ClientFor, customer: Tenant) -> None:
    with tenant_work(customer) as session:
        own = Export(scope="everything", actor_kind="user", requested_by_name="Canary-Ann")
        session.add(own)
        session.flush()
        own_id = own.id
    sam = client_for("sam")
    assert "Canary-Ann" not in sam.get(f"/tenants/{customer.slug}/support").text
    assert sam.get(f"/tenants/{customer.slug}/support/exports/{own_id}").status_code == 404


@pytest.mark.parametrize("missing", ["file", "instruction", "type"])
def test_an_incomplete_import_is_refused_and_nothing_is_kept(
    client_for: ClientFor, customer: Tenant, missing: str
) -> None:
    form: dict[str, object] = {"instruction": "Ticket 12", "type": "contacts", "key": "email", "mode": "upsert"}
    form["file"] = (io.BytesIO(CSV), "people.csv")
    del form[missing]
    page = client_for("sam").post(f"/tenants/{customer.slug}/support/imports", form)
    assert 400 <= page.status_code < 500
    with tenant_work(customer) as session:
        assert session.scalar(text("SELECT count(*) FROM imports")) == 0


def test_an_auditor_or_a_customer_can_t_ask(client_for: ClientFor, customer: Tenant) -> None:
    assert client_for("alice").get(f"/tenants/{customer.slug}/support").status_code == 404


def _perform_job_of_import(customer: Tenant) -> None:
    with tenant_work(customer) as session:
        job_id: UUID | None = session.scalars(select(Import.job_id)).one()
    assert job_id is not None
    perform(customer.id, job_id)
