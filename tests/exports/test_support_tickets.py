"""P13: the export of everything holds what the organisation and support wrote to each other, and no other's."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from qikbiz.kernel.actors import Actor, acting_as
from qikbiz.kernel.database import control_transaction
from qikbiz.transfer.exports.restore import checked_manifest
from qikbiz.transfer.exports.selection import Selection
from qikbiz.trust.tickets.actions import Question, open_ticket
from qikbiz.trust.tickets.models import Ticket, TicketMessage
from tenants.context import Tenant
from tests.exports.conftest import ExportHarness
from tests.fixtures.people import Person

pytestmark = pytest.mark.promise("P13")


def ask(person: Person, tenant: Tenant, body: str, *, answers: dict[str, str]) -> None:
    """A ticket of a user who is signed in, with what was written on it by others: author → body."""
    with acting_as(Actor("user", person.id, person.name)), control_transaction() as control:
        question = {"topic": "question", "source": "tenant", "tenant_id": tenant.id, "person_id": person.id}
        ticket = open_ticket(Question(person.name, person.email, f"About {body}", body, **question))  # type: ignore[arg-type]
        control.flush()
        for author, words in answers.items():
            control.add(TicketMessage(ticket_id=ticket.id, at=ticket.created_at, author=author, body=words))


def test_the_export_of_everything_holds_tickets_and_answers_but_no_notes_and_nobody_elses(
    export_harness: ExportHarness,
    fresh_tenant: Callable[..., Tenant],
    add_person: Callable[..., Person],
    tmp_path: Path,
) -> None:
    ask(
        export_harness.alice,
        export_harness.tenant,
        '=1+1, "why"?\nThanks',
        answers={"staff": "Because.", "note": "A secret note"},
    )
    other = fresh_tenant("Elsewhere")
    ask(add_person(other, "Otto", "administrator"), other, "Otto's question", answers={})
    with control_transaction() as control:
        stranger = {"name": "Nemo", "email": "nemo@example.com", "source": "site", "topic": "question"}
        moment = control.query(Ticket.created_at).first()
        assert moment is not None
        control.add(
            Ticket(reference="T-NEMO", subject="A visitor", tenant_id=export_harness.tenant.id, created_at=moment[0],
                   changed_at=moment[0], **stranger)
        )  # fmt: skip
    export = export_harness.make()
    with export_harness.zip_of(export) as archive:
        tickets = list(csv.DictReader(io.TextIOWrapper(archive.open("support_tickets.csv"), "utf-8", newline="")))
        messages = list(csv.DictReader(io.TextIOWrapper(archive.open("support_messages.csv"), "utf-8", newline="")))
        everything = b"".join(archive.read(name) for name in archive.namelist())
    assert [(one["name"], one["email"], one["asked_by"]) for one in tickets] == [
        ("Alice", export_harness.alice.email, str(export_harness.alice.id))
    ]
    assert [(one["author"], one["body"]) for one in messages] == [
        ("customer", '=1+1, "why"?\nThanks'),
        ("staff", "Because."),
    ]
    for words in (b"secret note", b"Otto", b"A visitor"):
        assert words not in everything
    manifest = checked_manifest(export_harness.save(export, tmp_path / "export.zip"))
    described = {entry["table"]: entry for entry in manifest["files"]}
    assert described["support_messages"]["rows"] == 2 and described["support_messages"]["formula_cells"] == {"body": 1}
    assert manifest["totals"]["files"] == len(manifest["files"])


def test_a_list_and_a_spreadsheet_hold_none(export_harness: ExportHarness) -> None:
    ask(export_harness.alice, export_harness.tenant, "Question", answers={})
    for selection in (Selection("contacts"), Selection(product="spreadsheet")):
        with export_harness.zip_of(export_harness.make(selection)) as archive:
            assert not [name for name in archive.namelist() if name.startswith("support_")]
