"""What customers ask for by giving access is on support's one list: run it, watch it and answer on one page."""

from __future__ import annotations

import io
from uuid import uuid4

import pytest
from sqlalchemy import select

from qikbiz.identity.staff.models import Staff
from qikbiz.kernel.database import control_transaction
from qikbiz.messaging.mail.models import PlatformMail
from qikbiz.trust.grants.models import Grant
from qikbiz.trust.tickets.models import Ticket
from tests.fixtures.grants import Customer
from tests.tickets.conftest import mails, messages

pytestmark = pytest.mark.usefixtures("patient")


def ticket_of(customer: Customer, grant: Grant) -> Ticket:
    with control_transaction() as control:
        return control.get_one(Ticket, customer.grant(grant.id).ticket_id)


def asked(customer: Customer, subject: str) -> Ticket:
    """Ann asks it by the form inside the product."""
    form = {"topic": "export", "subject": subject, "body": "Please.", "once": uuid4().hex}
    assert customer.ann.post("/help", form).status_code == 303
    with control_transaction() as control:
        return control.scalars(select(Ticket).where(Ticket.subject == subject)).one()


def letters(ticket: Ticket) -> list[PlatformMail]:
    return [mail for mail in mails() if ticket.reference in str(mail.dedupe_key) or str(ticket.id) in mail.dedupe_key]


def test_access_that_is_given_is_work_on_the_list(customer: Customer) -> None:
    grant = customer.give("see", "export", reason="Our accountant needs every contact")
    ticket = ticket_of(customer, grant)
    assert (ticket.topic, ticket.state, ticket.name, ticket.tenant_id) == ("export", "open", "Ann", customer.tenant.id)
    page = customer.sam.get("/work").text
    row = page.split(f"/tickets/{ticket.reference}")[1].split("</tr>")[0]
    assert "Our accountant needs every contact" in row and "Served Ltd" in row and "Active" in row
    # Ann reads it among her questions, and was not mailed about what she has just done.
    assert grant.reference in customer.ann.get(f"/help/{ticket.reference}").text
    assert letters(ticket) == []


def test_it_is_run_watched_and_answered_on_its_page(customer: Customer) -> None:
    grant = customer.give("export")
    ticket, export_id = ticket_of(customer, grant), uuid4()
    at = f"/tickets/{ticket.reference}"
    assert f'value="{grant.id}"' in customer.sam.get(at).text
    form = {"grant": str(grant.id), "id": str(export_id), "scope": "contacts", "product": "portable"}
    assert customer.sam.post(f"{at}/exports", form).status_code == 303
    assert "Waiting to start" in customer.sam.get(at).text
    assert "hx-trigger" in customer.sam.get(f"{at}/acts", headers={"HX-Request": "true"}, check=False).text
    assert customer.sam.post(f"{at}/answers", {"body": "It is ready for you.", "act": "solve"}).status_code == 303
    assert [mail.template for mail in letters_to(customer, ticket)] == ["ticket_answer"]


def letters_to(customer: Customer, ticket: Ticket) -> list[PlatformMail]:
    return [mail for mail in mails() if mail.to_address == ticket.email and mail.template.startswith("ticket")]


def test_what_is_begun_on_the_page_of_the_organisation_stands_on_the_ticket_too(customer: Customer) -> None:
    grant, export_id = customer.give("export"), uuid4()
    form = {"grant": str(grant.id), "id": str(export_id), "scope": "everything", "product": "portable"}
    assert customer.sam.post(f"/tenants/{customer.tenant.slug}/support/exports", form).status_code == 303
    ticket = ticket_of(customer, grant)
    assert [message.act_id for message in messages(ticket) if message.act_kind == "exports"] == [export_id]
    assert "Export: Everything" in customer.sam.get(f"/tickets/{ticket.reference}").text
    # The agent who began it is assigned.
    assert ticket.assigned_to == customer.world.sam.id


def test_an_import_under_it_stands_there_with_the_way_to_its_counts(customer: Customer) -> None:
    grant, import_id = customer.give("import"), uuid4()
    ticket = ticket_of(customer, grant)
    assert ticket.topic == "import"
    file = (io.BytesIO(b"Last name,E-mail\r\nNordin,nordin@example.com\r\n"), "people.csv")
    chosen = {"type": "contacts", "key": "email", "mode": "upsert"}
    form = {"grant": str(grant.id), "id": str(import_id), "file": file, **chosen}
    assert customer.sam.post(f"/tenants/{customer.tenant.slug}/support/imports", form).status_code == 303
    page = customer.sam.get(f"/tickets/{ticket.reference}").text
    assert "Import: Contacts" in page and f"/imports/{import_id}" in page


def test_access_given_about_a_question_goes_to_that_question(customer: Customer) -> None:
    ticket = asked(customer, "Where are my rows?")
    customer.sam.post(f"/tickets/{ticket.reference}/answers", {"body": "May I look?", "act": "answer"})
    assert f"/access/new?about={ticket.reference}" in customer.ann.get(f"/help/{ticket.reference}").text
    form = customer.ann.get(f"/access/new?about={ticket.reference}").text
    assert f'<option selected value="{ticket.reference}"' in form
    given = customer.form("see", reason="Look for them") | {"about": ticket.reference}
    assert customer.ann.post("/access", given).status_code == 303
    customer.run_platform_jobs("grants.open")
    with control_transaction() as control:
        again = control.get_one(Ticket, ticket.id)
        assert (again.state, again.waiting_since is not None) == ("open", True)
        assert control.scalars(select(Grant.ticket_id).where(Grant.tenant_id == customer.tenant.id)).all() == [
            ticket.id
        ]
    assert "Look for them" in messages(ticket)[-1].body
    assert "Start session" in customer.sam.get(f"/tickets/{ticket.reference}").text


@pytest.mark.parametrize("is_solved", [True, False])
def test_only_a_question_of_ones_own_that_is_open_can_be_meant(customer: Customer, is_solved: bool) -> None:
    reference = "QB-2222222"
    if is_solved:
        reference = asked(customer, "Solved long ago").reference
        customer.sam.post(f"/tickets/{reference}/state", {"state": "solved"})
    given = customer.form("see") | {"about": reference}
    assert customer.ann.post("/access", given).status_code == 422
    with control_transaction() as control:
        assert control.scalars(select(Grant).where(Grant.tenant_id == customer.tenant.id)).all() == []


def test_access_for_one_person_is_that_persons_work(customer: Customer) -> None:
    with control_transaction() as control:
        olivia = control.scalars(select(Staff.id).where(Staff.email == customer.world.olivia.email)).one()
    grant = customer.give("see", audience=str(olivia))
    ticket = ticket_of(customer, grant)
    assert (ticket.assigned_to, ticket.topic) == (olivia, "access")
    assert "Something else" in customer.olivia.get("/work?mine=1").text


def test_an_instruction_from_elsewhere_is_on_the_list_and_not_among_the_customers_questions(customer: Customer) -> None:
    grant = customer.instruct("export", "Letter of Ann Lee, 3 November")
    ticket = ticket_of(customer, grant)
    assert (ticket.source, ticket.person_id, ticket.assigned_to) == ("instruction", None, customer.world.sam.id)
    assert [message.author for message in messages(ticket)] == ["note"]
    assert "Letter of Ann Lee" in customer.sam.get("/work").text
    assert customer.ann.get(f"/help/{ticket.reference}").status_code == 404
    customer.sam.post(f"/tickets/{ticket.reference}/answers", {"body": "It is made.", "act": "solve"})
    assert letters_to(customer, ticket) != []


@pytest.mark.promise("P8")
def test_when_the_access_is_over_nothing_is_seen_any_more(customer: Customer) -> None:
    grant = customer.give("export")
    ticket = ticket_of(customer, grant)
    form = {"grant": str(grant.id), "id": str(uuid4()), "scope": "contacts", "product": "portable"}
    customer.sam.post(f"/tickets/{ticket.reference}/exports", form)
    assert customer.ann.post(f"/access/{grant.id}/end").status_code == 303
    page = customer.sam.get(f"/tickets/{ticket.reference}").text
    assert "Status not available" in page.replace("&#39;", "'") and ">Export</button>" not in page
    assert "Active" not in customer.sam.get("/work").text.split(f"/tickets/{ticket.reference}")[1].split("</tr>")[0]


@pytest.mark.promise("P8")
def test_what_a_reader_asks_is_not_the_organisation_s_word(customer: Customer) -> None:
    form = {"topic": "export", "subject": "Everything, to my home", "body": "Please.", "once": uuid4().hex}
    assert customer.rita.post("/help", form).status_code == 303
    with control_transaction() as control:
        ticket = control.scalars(select(Ticket).where(Ticket.tenant_id == customer.tenant.id)).one()
    assert "The sender is not an administrator of Served Ltd" in customer.sam.get(f"/tickets/{ticket.reference}").text
    assert customer.sam.post(f"/tickets/{ticket.reference}/instruction").status_code == 409
    with control_transaction() as control:
        assert control.scalars(select(Grant).where(Grant.tenant_id == customer.tenant.id)).all() == []
