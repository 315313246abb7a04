"""Any visitor can write to support, without an account and without scripts; machines and floods are kept out."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from qikbiz.kernel import clock
from tests.fixtures.web import Browser
from tests.fixtures.world import World
from tests.tickets.conftest import FORM, hidden_fields, mails, messages, tickets

pytestmark = [pytest.mark.promise("P20"), pytest.mark.usefixtures("patient")]
Ask = Callable[..., TestResponse]
BrowserAt = Callable[[str], Browser]
# "Buy now" with some Cyrillic letters.
MIXED = "B\u0443y n\u043ew and p\u0430y lat\u0435r"


def test_a_question_becomes_a_ticket_and_is_acknowledged_by_mail(browser_at: BrowserAt, ask: Ask) -> None:
    response = ask(browser_at("localhost"))
    assert response.status_code == 201
    (ticket,) = tickets()
    assert ticket.reference in response.text
    assert (ticket.name, ticket.email, ticket.state, ticket.source) == ("Ann Lee", "ann@example.com", "open", "site")
    assert ticket.tenant_id is None and ticket.person_id is None
    assert [message.body for message in messages(ticket)] == [FORM["body"]]
    assert [(mail.template, mail.to_address) for mail in mails()] == [("ticket_received", "ann@example.com")]


def test_sent_from_an_organisation_s_address_it_is_known_which(browser_at: BrowserAt, ask: Ask, world: World) -> None:
    ask(browser_at("acme.localhost"))
    assert tickets()[0].tenant_id == world.acme.tenant.id


def test_nobody_says_from_which_organisation_they_are(browser_at: BrowserAt, ask: Ask, world: World) -> None:
    for field in ({"tenant_id": str(world.acme.tenant.id)}, {"source": "tenant"}):
        assert ask(browser_at("localhost"), **field).status_code == 400
    assert tickets() == []
    ask(browser_at("localhost"))
    assert tickets()[0].tenant_id is None


def test_the_same_form_sent_twice_is_one_ticket(browser_at: BrowserAt, ask: Ask) -> None:
    browser = browser_at("localhost")
    form = {**hidden_fields(browser.get("/contact")), **FORM}
    first, second = (browser.post("/contact", form) for _ in range(2))
    assert first.status_code == second.status_code == 201
    assert len(tickets()) == 1 and len(mails()) == 1


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"email": "not an address"}, "a valid email address"),
        ({"email": "a@b.example\nBcc: c@d.example"}, "a valid email address"),
        ({"name": ""}, "Enter your name"),
        ({"subject": "   "}, "Enter a subject"),
        ({"body": ""}, "Enter a message."),
        ({"body": "x" * 10_001}, "the maximum is 10,000"),
        ({"body": "<a href='https://x.example'>buy</a>"}, "plain text"),
        ({"body": "[url=https://x.example]buy[/url]"}, "plain text"),
        ({"body": "https://a.example " * 4}, "more than 3 links"),
        ({"body": MIXED}, "different alphabets"),
        ({"opened": "made up"}, "This form is invalid or has expired"),
    ],
)
def test_what_can_t_be_taken_is_said_and_nothing_typed_is_lost(
    browser_at: BrowserAt, ask: Ask, changed: dict[str, str], words: str
) -> None:
    response = ask(browser_at("localhost"), **changed)
    assert response.status_code == 422 and words in response.text
    assert ("How do I merge" in response.text) or "subject" in changed
    assert tickets() == [] and mails() == []


def test_every_alphabet_is_welcome(browser_at: BrowserAt, ask: Ask) -> None:
    for body in ("Как объединить два контакта?", "Πώς συγχωνεύω δύο επαφές;", "二つの連絡先をどう統合しますか"):
        assert ask(browser_at("localhost"), body=body).status_code == 201


def test_a_machine_that_fills_in_everything_is_thanked_and_forgotten(browser_at: BrowserAt, ask: Ask) -> None:
    assert ask(browser_at("localhost"), website="https://spam.example").status_code == 201
    assert tickets() == [] and mails() == []


def test_a_form_of_another_host_is_not_taken(browser_at: BrowserAt, ask: Ask) -> None:
    stamp = hidden_fields(browser_at("localhost").get("/contact"))["opened"]
    assert browser_at("acme.localhost").post("/contact", {**FORM, "opened": stamp}).status_code == 422


def test_a_flood_from_one_network_is_stopped_in_words(browser_at: BrowserAt, ask: Ask) -> None:
    browser = browser_at("localhost")
    answers = [ask(browser, email=f"a{number}@example.com") for number in range(6)]
    assert [answer.status_code for answer in answers] == [201] * 5 + [429]
    assert (
        "Too many requests. Wait a while and send it again." in answers[-1].text
        and "How do I merge" in answers[-1].text
    )
    assert len(tickets()) == 5


def test_nobody_s_mailbox_is_flooded_with_acknowledgements(browser_at: BrowserAt, ask: Ask) -> None:
    answers = [ask(browser_at("localhost"), email="victim@example.com").status_code for _ in range(11)]
    assert answers == [201] * 10 + [429]


def test_a_subject_with_line_breaks_begins_no_header(browser_at: BrowserAt, ask: Ask) -> None:
    ask(browser_at("localhost"), subject="Hello\r\nBcc: victim@example.com", name="Ann\r\nBcc: x@y.example")
    (ticket,) = tickets()
    assert ticket.subject == "Hello Bcc: victim@example.com" and "\n" not in ticket.name


def test_looking_at_the_form_changes_nothing(browser_at: BrowserAt) -> None:
    browser_at("localhost").get("/contact?body=x&subject=y")
    assert tickets() == []


class TestWithoutPatience:
    @pytest.fixture
    def patient(self) -> None:
        """Here the shortest time holds."""

    def test_what_no_person_types_so_quickly_is_asked_for_again(self, browser_at: BrowserAt, ask: Ask) -> None:
        response = ask(browser_at("localhost"))
        assert response.status_code == 422 and "submitted too quickly" in response.text
        assert "How do I merge" in response.text and tickets() == []

    def test_a_form_left_open_since_yesterday_keeps_what_was_typed(
        self, browser_at: BrowserAt, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        browser = browser_at("localhost")
        form = {**hidden_fields(browser.get("/contact")), **FORM}
        now = clock.now()
        monkeypatch.setattr(clock, "now", lambda: now.replace(year=now.year + 1))
        response = browser.post("/contact", form)
        assert response.status_code == 422 and "has expired" in response.text
