"""Support's work list: the longest waiting first; answer, note, export and its progress on one page."""

from __future__ import annotations

from collections.abc import Callable
from email import message_from_bytes
from email.policy import default
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from qikbiz.jobs.models import PlatformJob
from qikbiz.kernel.database import control_transaction, tenant_transaction
from qikbiz.messaging.mail.delivery import begin
from qikbiz.messaging.mail.models import PlatformMail
from qikbiz.transfer.exports.models import Export
from qikbiz.trust.grants.models import Grant
from qikbiz.trust.tickets.addresses import reply_address
from tests.fixtures.web import Browser
from tests.fixtures.world import World
from tests.tickets.conftest import mail, mails, messages, take, tickets
from workers.run_job import perform

pytestmark = pytest.mark.usefixtures("patient")
ClientFor = Callable[[str], Browser]
Ask = Callable[..., TestResponse]


@pytest.fixture
def reference(client_for: ClientFor) -> str:
    asked = {"topic": "export", "subject": "Everything, please", "body": "For our archive.", "once": "x"}
    assert client_for("alice").post("/help", asked).status_code == 303
    return tickets()[0].reference


def letter(world: World, row: PlatformMail) -> Any:
    """The mail as it leaves."""
    with control_transaction() as session:
        found = session.get(PlatformMail, row.id)
        assert found is not None
        made = begin(found, None, world.settings)
    assert made is not None
    return message_from_bytes(made.message.as_bytes(), policy=default)


@pytest.mark.promise("P20")
def test_support_begins_with_the_work_list(client_for: ClientFor, reference: str) -> None:
    sam = client_for("sam")
    page = sam.get("/")
    assert page.text.count("Tickets") > 1
    assert "Everything, please" in page.text and "Acme Industrial" in page.text and "Export data for us" in page.text


@pytest.mark.promise("P20")
def test_the_longest_waiting_stands_at_the_top(
    client_for: ClientFor, ask: Ask, browser_at: Callable[[str], Browser]
) -> None:
    for subject in ("First of all", "Second of all", "Third of all"):
        ask(browser_at("localhost"), subject=subject)
    sam = client_for("sam")
    sam.post(f"/tickets/{tickets()[0].reference}/answers", {"body": "Done", "act": "answer"})
    page = sam.get("/work").text
    assert page.index("Second of all") < page.index("Third of all") and "First of all" not in page
    assert "First of all" in sam.get("/work?state=waiting").text
    # A customer who is answered and writes again waits from then on.
    take(mail(reply_address(_settings(sam), tickets()[0].id), "And then?"))
    page = sam.get("/work").text
    assert page.index("Third of all") < page.index("First of all")


def _settings(browser: Browser) -> Any:
    return browser.app.extensions["qikbiz"].settings


@pytest.mark.promise("P20")
def test_an_answer_goes_by_mail_into_the_thread(client_for: ClientFor, reference: str, world: World) -> None:
    address = reply_address(world.settings, tickets()[0].id)
    take(mail(address, "One more thing", Message_ID="<more@example.com>"))
    client_for("sam").post(
        f"/tickets/{reference}/answers", {"body": "Dear Alice,\n\nit is on its way.", "act": "answer"}
    )
    (ticket,) = tickets()
    assert ticket.state == "waiting" and ticket.waiting_since is None and ticket.assigned_to == world.sam.id
    sent = letter(world, mails()[-1])
    assert sent["To"].addresses[0].addr_spec == world.alice.email
    assert sent["Reply-To"].addresses[0].addr_spec == address
    assert sent["In-Reply-To"] == "<more@example.com>" and "<more@example.com>" in sent["References"]
    assert sent["Subject"] == f"Re: Everything, please [{reference}]"
    # A person wrote it; the acknowledgement was a program's.
    assert sent["Auto-Submitted"] is None
    assert letter(world, mails()[0])["Auto-Submitted"] == "auto-generated"
    assert "it is on its way" in sent.get_body(("plain",)).get_content()
    assert messages(ticket)[-1].message_id == sent["Message-ID"]


@pytest.mark.promise("P20")
def test_an_answer_to_our_answer_finds_back(client_for: ClientFor, reference: str, world: World) -> None:
    client_for("sam").post(f"/tickets/{reference}/answers", {"body": "On its way.", "act": "solve"})
    assert tickets()[0].state == "solved"
    sent = letter(world, mails()[-1])
    back = mail(sent["Reply-To"], "Thank you", In_Reply_To=sent["Message-ID"], sender=world.alice.email)
    assert take(back).outcome == "answered" and tickets()[0].state == "open"


@pytest.mark.promise("P20")
def test_a_note_leaves_no_mail_and_stays_with_staff(client_for: ClientFor, reference: str) -> None:
    before = len(mails())
    client_for("sam").post(f"/tickets/{reference}/answers", {"body": "Ask Olivia", "act": "note"})
    assert len(mails()) == before and tickets()[0].state == "open"
    assert "Ask Olivia" in client_for("olivia").get(f"/tickets/{reference}").text
    assert "Ask Olivia" not in client_for("alice").get(f"/help/{reference}").text


@pytest.mark.promise("P20")
def test_it_is_given_to_somebody_and_set_aside(client_for: ClientFor, reference: str, world: World) -> None:
    sam = client_for("sam")
    assert sam.post(f"/tickets/{reference}/assignment", {"staff": str(world.olivia.id)}).status_code == 303
    assert tickets()[0].assigned_to == world.olivia.id
    assert "Everything, please" in client_for("olivia").get("/work?mine=1").text
    assert "Everything, please" not in sam.get("/work?mine=1").text
    assert sam.post(f"/tickets/{reference}/state", {"state": "solved"}).status_code == 303
    assert tickets()[0].state == "solved"


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("answers", {"body": " ", "act": "answer"}, 400),
        ("answers", {"body": "x" * 10_001, "act": "answer"}, 400),
        ("state", {"state": "deleted"}, 409),
        ("assignment", {"staff": "nobody"}, 404),
        ("assignment", {"staff": str(uuid4())}, 404),
    ],
)
def test_what_makes_no_sense_is_refused(
    client_for: ClientFor, reference: str, path: str, form: dict[str, str], status: int
) -> None:
    assert client_for("sam").post(f"/tickets/{reference}/{path}", form).status_code == status
    assert tickets()[0].state == "open"


@pytest.mark.promise("P20")
def test_only_staff_who_answer_see_tickets(
    client_for: ClientFor, reference: str, browser_at: Callable[[str], Browser]
) -> None:
    assert browser_at("console.localhost").get(f"/tickets/{reference}").status_code == 303
    assert client_for("sam").get("/tickets/QB-2222222").status_code == 404
    assert client_for("alice").get(f"/tickets/{reference}").status_code == 404


def test_a_question_from_nowhere_can_t_start_an_export(
    client_for: ClientFor, ask: Ask, browser_at: Callable[[str], Browser]
) -> None:
    ask(browser_at("localhost"), topic="export")
    (ticket,) = tickets()
    sam = client_for("sam")
    assert ">Export</button>" not in sam.get(f"/tickets/{ticket.reference}").text
    assert sam.post(f"/tickets/{ticket.reference}/exports", {"grant": str(uuid4())}).status_code == 404
    assert messages(ticket)[1:] == []


def test_the_ticket_is_the_instruction_and_the_export_is_watched_beside_it(
    client_for: ClientFor, reference: str, world: World
) -> None:
    sam, export_id = client_for("sam"), str(uuid4())
    assert sam.post(f"/tickets/{reference}/exports", {"scope": "contacts"}).status_code == 400
    assert sam.post(f"/tickets/{reference}/exports", {"grant": str(uuid4())}).status_code == 403
    assert sam.post(f"/tickets/{reference}/instruction").status_code == 303
    assert "Another member of staff or the customer can confirm it" in sam.get(f"/tickets/{reference}").text
    with control_transaction() as control:
        asked = control.scalars(select(Grant.id).order_by(Grant.id.desc()).limit(1)).one()
    assert sam.post(f"/tickets/{reference}/exports", {"grant": str(asked), "scope": "contacts"}).status_code == 403
    assert client_for("alice").post(f"/access/{asked}/confirmation").status_code == 303
    assert "being prepared" in sam.get(f"/tickets/{reference}").text
    run_platform_jobs("grants.open")
    page = sam.get(f"/tickets/{reference}").text
    grant_id = page.split('name="grant"')[1].split('value="')[1].split('"')[0]
    form = {"grant": grant_id, "id": export_id, "scope": "contacts", "product": "portable"}
    for _ in range(2):
        assert sam.post(f"/tickets/{reference}/exports", form).status_code == 303
    with tenant_transaction(world.acme.tenant) as session:
        exports = session.scalars(select(Export).where(Export.id == export_id)).all()
        assert [reference in (export.instruction or "") for export in exports] == [True]
    (ticket,) = tickets()
    assert [str(message.act_id) for message in messages(ticket) if message.act_id] == [export_id]
    assert "Waiting to start" in sam.get(f"/tickets/{reference}").text
    part = sam.get(f"/tickets/{reference}/acts", headers={"HX-Request": "true"}, check=False)
    assert part.status_code == 200 and "hx-trigger" in part.text


def test_a_question_of_nobody_known_is_no_instruction(
    client_for: ClientFor, ask: Ask, browser_at: Callable[[str], Browser]
) -> None:
    ask(browser_at("globex.localhost"), topic="export")
    (ticket,) = tickets()
    sam = client_for("sam")
    assert "The sender was not signed in" in sam.get(f"/tickets/{ticket.reference}").text
    assert sam.post(f"/tickets/{ticket.reference}/instruction").status_code == 409


def run_platform_jobs(kind: str) -> None:
    with control_transaction() as control:
        waiting = select(PlatformJob.id).where(PlatformJob.kind == kind, PlatformJob.state == "pending")
        job_ids = list(control.scalars(waiting))
    for job_id in job_ids:
        assert perform(None, job_id) == "done"
