"""An answer by mail joins its ticket; a new question becomes one; what programs write is left alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from qikbiz.kernel.database import control_transaction
from qikbiz.trust.tickets import incoming
from qikbiz.trust.tickets.actions import answer, set_state
from qikbiz.trust.tickets.addresses import reply_address, ticket_of
from qikbiz.trust.tickets.emails import CUT_HERE
from qikbiz.trust.tickets.models import Ticket
from qikbiz.trust.tickets.queries import ticket_for_staff
from tests.fixtures.web import Browser
from tests.fixtures.world import World
from tests.tickets.conftest import mail, mails, messages, take, tickets

pytestmark = pytest.mark.usefixtures("patient")
SUPPORT = "support@localhost"


@pytest.fixture
def ticket(browser_at: Callable[[str], Browser], ask: Callable[..., TestResponse]) -> Ticket:
    ask(browser_at("localhost"))
    return tickets()[0]


@pytest.fixture
def address(ticket: Ticket, world: World) -> str:
    return reply_address(world.settings, ticket.id)


@pytest.mark.promise("P20")
def test_an_answer_joins_its_ticket_without_what_it_quotes(ticket: Ticket, address: str) -> None:
    with control_transaction():
        set_state(ticket_for_staff(ticket.reference), "solved")
    body = f"Thank you!\n\nOne more thing.\n\nOn Monday Sam wrote:\n> — {CUT_HERE} —\n> earlier words\n"
    assert take(mail(address, body)).outcome == "answered"
    last = messages(ticket)[-1]
    assert (last.author, last.author_name, last.body) == ("customer", "Ann Lee", "Thank you!\n\nOne more thing.")
    (again,) = tickets()
    assert again.state == "open" and again.waiting_since is not None


@pytest.mark.promise("P20")
def test_the_same_mail_twice_is_written_once(ticket: Ticket, address: str) -> None:
    content = mail(address, "Once", Message_ID="<one@example.com>")
    assert [take(content).outcome for _ in range(3)] == ["answered", "known", "known"]
    assert len(messages(ticket)) == 2


@pytest.mark.promise("P20")
def test_a_mail_without_an_id_is_written_once_too(ticket: Ticket, address: str) -> None:
    content = mail(address, "Once").replace(b"Message-ID", b"X-Nothing")
    assert [take(content).outcome for _ in range(2)] == ["answered", "known"]


@pytest.mark.promise("P20")
def test_an_answer_from_elsewhere_says_so(ticket: Ticket, address: str) -> None:
    take(mail(address, "I answer for her", sender="Carol <carol@example.org>"))
    assert messages(ticket)[-1].author_name == "Carol <carol@example.org>"


@pytest.mark.promise("P20")
def test_the_envelope_s_recipient_counts_when_the_mail_names_another(ticket: Ticket, address: str) -> None:
    content = mail("somebody@example.net", "Forwarded by a rule")
    assert take(content, recipient=address).outcome == "answered"


@pytest.mark.promise("P20")
def test_a_new_question_by_mail_becomes_a_ticket(world: World) -> None:
    received = take(mail(SUPPORT, "How do I merge?", Subject="Merging", Message_ID="<q@example.com>"))
    (ticket,) = tickets()
    assert received.reference == ticket.reference
    assert (ticket.subject, ticket.source, ticket.tenant_id) == ("Merging", "mail", None)
    assert [one.template for one in mails()] == ["ticket_received"]


@pytest.mark.promise("P20")
@pytest.mark.parametrize("letter", range(0, 39, 6))
def test_an_address_that_was_changed_joins_nothing(ticket: Ticket, address: str, world: World, letter: int) -> None:
    place = address.index("+") + 1 + letter
    changed = address[:place] + ("a" if address[place] != "a" else "b") + address[place + 1 :]
    assert ticket_of(world.settings, changed) is None
    assert take(mail(changed, "Let me in")).outcome == "ignored"
    assert len(messages(ticket)) == 1 and len(tickets()) == 1


def test_a_mail_server_that_writes_addresses_in_capitals_does_no_harm(ticket: Ticket, address: str) -> None:
    assert take(mail(address.upper(), "LOUD")).outcome == "answered"


@pytest.mark.promise("P20")
@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated (vacation)"},
        {"Precedence": "bulk"},
        {"Precedence": "auto_reply"},
        {"List_Id": "<news.example.com>"},
        {"Return_Path": "<>"},
        {"X_Autoreply": "yes"},
        {"sender": "MAILER-DAEMON@example.com"},
        {"sender": "QikBiz <no-reply@localhost>"},
        {"sender": "support@localhost"},
        {"sender": "nobody"},
    ],
)
def test_programs_and_our_own_mails_are_left_alone(ticket: Ticket, address: str, headers: dict[str, str]) -> None:
    received = take(mail(address, "I am away until Monday", **headers))
    assert received.outcome == "ignored" and received.why
    assert len(messages(ticket)) == 1 and len(mails()) == 1


@pytest.mark.promise("P20")
def test_two_programs_that_answer_each_other_are_stopped(
    ticket: Ticket, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming, "MOST_A_DAY", 3)
    outcomes = [take(mail(address, f"Round {n}", Message_ID=f"<{n}@example.com>")).outcome for n in range(5)]
    assert outcomes == ["answered", "answered", "ignored", "ignored", "ignored"]


@pytest.mark.promise("P20")
def test_a_mail_of_html_alone_is_read_as_text(ticket: Ticket, address: str) -> None:
    content = (
        f"From: ann@example.com\r\nTo: {address}\r\nMessage-ID: <h@example.com>\r\nContent-Type: text/html\r\n\r\n"
        "<html><head><title>no</title><style>p{}</style></head><body><p>Hello<br>there</p>"
        "<script>alert(1)</script><blockquote>old</blockquote></body></html>"
    ).encode()
    assert take(content).outcome == "answered"
    assert messages(ticket)[-1].body == "Hello\nthere"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff\xfe rubbish",
        b"From: \r\n\r\n",
        b"From: =?utf-8?q?=ff=fe?= <a@example.com>\r\nSubject: =?x?y?z?=\r\nTo: support@localhost\r\n\r\n\r\n",
        b"Content-Type: multipart/mixed; boundary=x\r\nFrom: a@example.com\r\nTo: support@localhost\r\n\r\n--x\r\n",
        b"Content-Type: text/plain; charset=no-such\r\nFrom: a@example.com\r\n\r\n" + b"> quoted\r\n" * 50,
        b"From: a@example.com\r\nTo: support@localhost\r\n\r\n" + b"x" * (2 * 1024 * 1024),
    ],
)
def test_rubbish_is_left_alone(content: bytes) -> None:
    received = take(content)
    assert received.outcome == "ignored" and received.why
    assert tickets() == []


@pytest.mark.promise("P20")
def test_no_header_can_be_smuggled_into_our_answer(ticket: Ticket, address: str, world: World) -> None:
    take(mail(address, "x").replace(b"Message-ID: <", b"Message-ID: <a> b\r\n Bcc: <c@d.example> <"))
    with control_transaction():
        answer(ticket_for_staff(ticket.reference), "An answer")
    ids = [str(message.message_id) for message in messages(ticket) if message.message_id]
    assert all(" " not in one and "\n" not in one and one.startswith("<") for one in ids)
