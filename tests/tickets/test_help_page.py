"""Inside the product people ask, read the answers and write more; each sees the own questions, administrators all."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from qikbiz.kernel.actors import Actor, acting_as
from qikbiz.kernel.database import control_transaction
from qikbiz.trust.tickets.actions import add_internal_note, answer
from qikbiz.trust.tickets.queries import ticket_for_staff
from tests.fixtures.web import Browser
from tests.fixtures.world import World
from tests.tickets.conftest import mails, messages, tickets

ClientFor = Callable[[str], Browser]
ASKED = {"topic": "fault", "subject": "The list stays empty", "body": "Since this morning.", "once": "1"}


@pytest.fixture
def reference(client_for: ClientFor) -> str:
    assert client_for("ben").post("/help", ASKED).status_code == 303
    return tickets()[0].reference


@pytest.mark.promise("P20")
def test_a_question_from_inside_knows_who_asks(client_for: ClientFor, reference: str, world: World) -> None:
    (ticket,) = tickets()
    assert (ticket.tenant_id, ticket.person_id) == (world.acme.tenant.id, world.ben.id)
    assert (ticket.name, ticket.email, ticket.topic) == ("Ben", world.ben.email, "fault")
    assert [mail.to_address for mail in mails()] == [world.ben.email]
    assert "The list stays empty" in client_for("ben").get("/help").text


@pytest.mark.promise("P20")
def test_nobody_asks_in_another_s_name(client_for: ClientFor, world: World) -> None:
    for field in ({"email": "x@example.com"}, {"person_id": str(world.alice.id)}):
        assert client_for("ben").post("/help", {**ASKED, **field}).status_code == 400
    assert tickets() == []


@pytest.mark.promise("P20")
def test_the_answer_is_read_there_and_notes_are_not(client_for: ClientFor, reference: str, world: World) -> None:
    with control_transaction(), acting_as(Actor("staff", world.sam.id, "Sam")):
        add_internal_note(ticket_for_staff(reference), "Sounds like the old fault")
        answer(ticket_for_staff(reference), "Load the page again, please.")
    page = client_for("ben").get(f"/help/{reference}").text
    assert "Load the page again, please." in page and "old fault" not in page and "Answered" in page


@pytest.mark.promise("P20")
def test_more_is_written_there_and_opens_it_again(client_for: ClientFor, reference: str, world: World) -> None:
    with control_transaction(), acting_as(Actor("staff", world.sam.id, "Sam")):
        answer(ticket_for_staff(reference), "Better?", is_solved=True)
    assert client_for("ben").post(f"/help/{reference}", {"body": "No."}).status_code == 303
    (ticket,) = tickets()
    assert ticket.state == "open" and messages(ticket)[-1].author_id == world.ben.id


@pytest.mark.promise("P20")
@pytest.mark.parametrize(("name", "status"), [("ben", 200), ("alice", 200), ("bob", 404), ("mallory", 404)])
def test_who_sees_a_question(client_for: ClientFor, reference: str, name: str, status: int) -> None:
    browser = client_for(name)
    assert browser.get(f"/help/{reference}").status_code == status
    assert ("The list stays empty" in browser.get("/help").text) == (status == 200)
    assert browser.post(f"/help/{reference}", {"body": "Me too"}).status_code == (303 if status == 200 else 404)


def test_a_stranger_has_to_log_in(reference: str, browser_at: Callable[[str], Browser]) -> None:
    assert browser_at("acme.localhost").get(f"/help/{reference}").status_code == 303


@pytest.mark.promise("P20")
@pytest.mark.parametrize("changed", [{"subject": ""}, {"body": " "}, {"body": "x" * 10_001}])
def test_what_can_t_be_taken_is_said(client_for: ClientFor, changed: dict[str, str]) -> None:
    response = client_for("ben").post("/help", {**ASKED, **changed})
    assert response.status_code == 422 and "field-error" in response.text and tickets() == []


@pytest.mark.promise("P20")
def test_the_same_form_twice_is_one_question(client_for: ClientFor) -> None:
    for _ in range(2):
        client_for("ben").post("/help", ASKED)
    assert len(tickets()) == 1


@pytest.mark.promise("P20")
def test_a_word_of_another_s_form_joins_nothing(client_for: ClientFor) -> None:
    client_for("ben").post("/help", ASKED)
    client_for("mallory").post("/help", ASKED)
    assert len({ticket.tenant_id for ticket in tickets()}) == 2


@pytest.mark.promise("P20")
def test_asking_without_end_is_stopped(client_for: ClientFor) -> None:
    ben = client_for("ben")
    answers = [ben.post("/help", {**ASKED, "once": str(n)}).status_code for n in range(25)]
    assert answers[0] == 303 and answers[-1] == 429


@pytest.mark.promise("P20")
def test_an_empty_addition_is_not_sent(client_for: ClientFor, reference: str) -> None:
    response = client_for("ben").post(f"/help/{reference}", {"body": "  "})
    assert response.status_code == 400 and "Not sent" in response.text
