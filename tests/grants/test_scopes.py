"""All that a grant allows can be done by it to the end: each scope, each act, by the login that the database knows."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from provisioning import importing
from provisioning.application import working_with
from provisioning.importing import Choices, import_for_customer, undo_for_customer
from provisioning.instructions import Authority, on_authority
from qikbiz.crm.companies.models import Company
from qikbiz.crm.contacts.models import Contact
from qikbiz.jobs.models import Job
from qikbiz.kernel.actors import Actor, acting_as
from qikbiz.kernel.database import tenant_transaction
from qikbiz.kernel.errors import NotFound
from qikbiz.messaging.mail.models import Mail
from qikbiz.messaging.notifications.models import Notification
from qikbiz.transfer.exports.models import Export
from qikbiz.transfer.exports.restore import restore_archive
from qikbiz.transfer.imports.models import Import
from qikbiz.trust.grants.models import Grant
from qikbiz.trust.grants.scopes import GrantScope
from tests.fixtures.grants import Customer
from tests.fixtures.page_checks import csrf_token_in
from tests.fixtures.people import Person
from tests.imports.harness import csv_text
from workers.run_job import perform

pytestmark = pytest.mark.promise("P8")
HEADER = ["First name", "Email", "Owner", "Company"]


@pytest.fixture
def carol(customer: Customer, add_person: Callable[..., Person]) -> Person:
    """A colleague who is given records."""
    return add_person(customer.tenant, "Carol", "member")


def test_to_see(customer: Customer) -> None:
    ada = customer.add_contact("Lovelace")
    inside = customer.enter(customer.give("see"))
    for path in (
        "/",
        "/contacts",
        f"/contacts/{ada}",
        "/companies",
        "/search?q=love",
        "/contacts?q=lovelace",
    ):
        assert inside.get(path).status_code == 200, path


def test_to_change(customer: Customer, carol: Person) -> None:
    inside = customer.enter(customer.give("change"))
    _post(inside, "/companies", {"name": "Umbrella"})
    _post(inside, "/contacts", {"last_name": "Lee", "owner_id": str(carol.id)})
    umbrella, lee = _only(customer, Company), _only(customer, Contact)
    mention = {"last_name": "Lee", "first_name": "Ann", "version": "1", "description": "Ask @Carol about her"}
    _post(inside, f"/contacts/{lee}/edit", {**mention, "owner_id": str(carol.id)})
    _post(inside, f"/companies/{umbrella}/edit", {"name": "Umbrella Ltd", "version": "1", "owner_id": str(carol.id)})
    _post(inside, f"/contacts/{lee}/fields/city", {"version": "2", "was": "", "city": "Graz"})
    _post(inside, f"/companies/{umbrella}/fields/industry", {"version": "2", "was": "", "industry": "Rain"})
    _post(inside, f"/contacts/{lee}/companies", {"company_name": "Umbrella Ltd"})
    _post(inside, "/contacts/several", {"ids": str(lee), "act": "tag", "tag": "vip"})
    _post(inside, "/contacts/several", {"ids": str(lee), "act": "delete"})
    _post(inside, f"/contacts/restorations?ids={lee.hex}")
    for plural, record in (("contacts", lee), ("companies", umbrella)):
        _post(inside, f"/{plural}/{record}/deletion")
    with tenant_transaction(customer.tenant) as session:
        told = list(session.scalars(select(Notification.user_id).where(Notification.kind != "grant_used")))
        mailed = list(session.scalars(select(Mail.template).where(Mail.to_address == carol.email)))
    assert set(told) == {carol.id} and "assigned" in mailed


def test_to_import_inside_the_product(customer: Customer, carol: Person) -> None:
    inside = customer.enter(customer.give("import"))
    token = {"csrf_token": csrf_token_in(inside.get("/imports/").text)}
    form = {"type": "contacts", "import_id": str(uuid4()), "file": _file(carol)}
    shown = inside.post("/imports/", form | token)
    assert shown.status_code == 303, shown.text[-800:]
    import_id = shown.location.split("/")[2]
    from tests.imports.test_wizard import choices_on

    columns = f"/imports/{import_id}/columns"
    answer = inside.post(columns, choices_on(inside.get(columns).text) | token)
    assert answer.status_code == 303, answer.text[-800:]
    for step, state in (("", "checked"), ("application", "applied"), ("undo", "undone")):
        if step:
            assert inside.post(f"/imports/{import_id}/{step}", token).status_code == 303
        _do_jobs(customer)
        assert _state(customer, UUID(import_id)) == state
        assert inside.get(f"/imports/{import_id}").status_code == 200


def test_to_import_at_the_console(customer: Customer, carol: Person) -> None:
    grant, base = customer.instruct("import"), f"/tenants/{customer.tenant.slug}/support"
    form = {"grant": str(grant.id), "id": str(uuid4()), "type": "contacts", "key": "email", "mode": "upsert"}
    act = customer.sam.post(f"{base}/imports", form | {"file": _file(carol)}).location
    for step, state in (("", "checked"), ("/application", "applied"), ("/reversal", "undone")):
        if step:
            assert customer.sam.post(act + step).status_code in (302, 303)
        _do_jobs(customer)
        assert _state(customer, UUID(form["id"])) == state
        assert customer.sam.get(act).status_code == 200


@pytest.mark.parametrize("kind", ["grant", "instruction"])
def test_to_import_by_command_with_an_owner_column(
    customer: Customer, carol: Person, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The colleague becomes the owner and is notified, as when a colleague had imported the file."""
    monkeypatch.setattr(importing, "SECONDS_BETWEEN_LOOKS", 0.01)
    grant = customer.give("import") if kind == "grant" else customer.instruct("import")
    authority = Authority(**{kind: grant.reference})
    file = tmp_path / "owners.csv"
    file.write_text(csv_text(HEADER, [["Ann", "ann@case01.example", carol.email, "Case Ltd"]]))
    settings, slug = customer.world.settings, customer.tenant.slug
    worker = _worker(customer)
    done = import_for_customer(settings, slug, file, Choices(), authority=authority, watch=worker, say=lambda _: None)
    assert (done.created, done.invalid) == (1, 0)
    with tenant_transaction(customer.tenant) as session:
        assert session.scalars(select(Contact.owner_id)).one() == carol.id
        assert session.scalars(select(Notification.user_id)).all() == [carol.id]
    assert done.id is not None
    undone = undo_for_customer(settings, slug, done.id, authority=authority, watch=worker)
    assert undone["reversed"] == 1
    assert ("kept_records" in undone) == (kind == "grant"), "under an instruction staff see counts only"


def test_an_instruction_takes_back_only_what_it_brought_in(
    customer: Customer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "SECONDS_BETWEEN_LOOKS", 0.01)
    file = tmp_path / "people.csv"
    file.write_text(csv_text(["Last name", "Email"], [["Ann", "ann@case01.example"]]))
    settings, slug, worker = customer.world.settings, customer.tenant.slug, _worker(customer)
    first, second = (Authority(instruction=customer.instruct("import").reference) for _ in range(2))
    done = import_for_customer(settings, slug, file, Choices(), authority=first, watch=worker, say=lambda _: None)
    assert done.id is not None
    with pytest.raises(NotFound, match="did not create that import"):
        undo_for_customer(settings, slug, done.id, authority=second, watch=worker)
    assert _state(customer, done.id) == "applied"
    # The customer's own access sees what the customer's users see.
    access = Authority(grant=customer.give("import").reference)
    assert undo_for_customer(settings, slug, done.id, authority=access, watch=worker)["reversed"] == 1


def test_a_job_that_ends_between_two_looks_was_not_cancelled(
    customer: Customer, carol: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "SECONDS_BETWEEN_LOOKS", 0.01)
    grant = customer.give("import")
    look, ended = importing.progress_of_import, _worker(customer)

    def ends_just_now(found: Import) -> Any:
        # After the import was read and before its job is.
        ended(0, None, "")
        return look(found)

    monkeypatch.setattr(importing, "progress_of_import", ends_just_now)
    file = tmp_path / "people.csv"
    file.write_text(csv_text(HEADER, [["Ann", "ann@case01.example", "", ""]]))
    done = import_for_customer(
        customer.world.settings,
        customer.tenant.slug,
        file,
        Choices(),
        authority=Authority(grant=grant.reference),
        watch=lambda *_: None,
        say=lambda _: None,
    )
    assert done.created == 1


@pytest.mark.parametrize("kind", ["grant", "instruction"])
def test_to_export(customer: Customer, kind: str, tmp_path: Path) -> None:
    customer.add_contact("Lovelace")
    grant: Grant = customer.give("export") if kind == "grant" else customer.instruct("export")
    for scope in ("everything", "contacts"):
        form = {"grant": str(grant.id), "id": str(uuid4()), "scope": scope, "product": "portable"}
        answer = customer.sam.post(f"/tenants/{customer.tenant.slug}/support/exports", form)
        assert answer.status_code in (302, 303)
    _do_jobs(customer)
    with tenant_transaction(customer.tenant) as session:
        assert [export.state for export in session.scalars(select(Export))] == ["ready", "ready"]
    if kind == "grant":
        inside = customer.enter(grant)
        token = {"csrf_token": csrf_token_in(inside.get("/exports/").text)}
        asked = inside.post("/exports/", {"scope": "contacts", "product": "portable"} | token)
        assert asked.status_code == 303
        assert inside.post(f"{asked.location}/cancellation", token).status_code == 303


def test_to_restore(
    customer: Customer, tmp_path: Path, make_tenant: Callable[..., Any], add_person: Callable[..., Person]
) -> None:
    archive = _archive(add_person(make_tenant("Elsewhere"), "Eve", "administrator"), tmp_path)
    grant = customer.instruct("restore")
    with (
        on_authority(
            customer.world.settings, customer.tenant, Authority(instruction=grant.reference), GrantScope.RESTORE
        ),
        tenant_transaction(customer.tenant, statement_timeout_ms=60_000),
    ):
        restored = restore_archive(archive)
    assert restored.records == 1


def _archive(owner: Person, folder: Path) -> Path:
    from qikbiz.crm.contacts.actions import create_contact
    from qikbiz.transfer.exports.actions import ask_for_export, file_of
    from qikbiz.transfer.exports.selection import Selection

    tenant = owner.tenant
    assert tenant is not None
    with acting_as(Actor("user", owner.id, owner.name)), tenant_transaction(tenant):
        create_contact({"last_name": "Moved"})
        export_id = ask_for_export(Selection("everything", "portable")).id
    _do_jobs_of(tenant)
    target = folder / "all.zip"
    with tenant_transaction(tenant) as session:
        target.write_bytes(b"".join(file_of(session.get_one(Export, export_id)).read()))
    return target


def _worker(customer: Customer) -> Callable[[int, int | None, str], None]:
    """Does what waits, in a thread of its own as a worker would: nothing of the command's own context applies there."""

    def work() -> None:
        with working_with(customer.world.runtime):
            _do_jobs(customer)

    def watch(_done: int, _total: int | None, _note: str) -> None:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    return watch


def _do_jobs(customer: Customer) -> None:
    _do_jobs_of(customer.tenant)


def _do_jobs_of(tenant: Any) -> None:
    kinds = ("imports.", "exports.")
    with tenant_transaction(tenant) as session:
        waiting = session.execute(select(Job.id, Job.kind).where(Job.state == "pending").order_by(Job.id)).all()
    for job in waiting:
        if job.kind.startswith(kinds):
            assert perform(tenant.id, job.id) == "done", job.kind


def _file(carol: Person) -> tuple[Any, str]:
    rows = [["Ann", "ann@case01.example", carol.email, "Case Ltd"], ["Bea", "bea@case01.example", "", ""]]
    return io.BytesIO(csv_text(HEADER, rows).encode()), "owners.csv"


def _post(browser: Any, path: str, form: dict[str, Any] | None = None) -> None:
    answer = browser.post(path, form)
    assert answer.status_code < 400, (path, answer.status_code, answer.text[-800:])


def _only(customer: Customer, model: Any) -> UUID:
    with tenant_transaction(customer.tenant) as session:
        found: UUID = session.scalars(select(model.id)).one()
        return found


def _state(customer: Customer, import_id: UUID) -> str:
    with tenant_transaction(customer.tenant) as session:
        found = session.get_one(Import, import_id)
        return found.state
