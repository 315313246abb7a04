"""Tickets of one test, a contact form filled in, and mails as a mail server would hand them over."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from email.message import EmailMessage
from email.policy import SMTP
from html import unescape
from typing import Any

import pytest
from sqlalchemy import select, text
from werkzeug.test import TestResponse

from qikbiz.kernel import clock
from qikbiz.kernel.database import control_transaction
from qikbiz.messaging.mail.models import PlatformMail
from qikbiz.trust.tickets import spam_protection
from qikbiz.trust.tickets.incoming import Received, receive
from qikbiz.trust.tickets.models import Ticket, TicketMessage
from tenants.runtime import Runtime
from tests.fixtures.web import Browser


@pytest.fixture(autouse=True)
def no_tickets(working: Runtime) -> Iterator[None]:
    """Neither of other files' tests, where access that is given leaves tickets too, nor left behind."""
    forget_tickets(working)
    yield
    forget_tickets(working)


def forget_tickets(working: Runtime) -> None:
    with control_transaction() as session:
        for table in ("ticket_messages", "tickets", "platform_mails", "address_rules", "abuse_events"):
            session.execute(text(f"DELETE FROM {table}"))
    with working.redis.client() as client:
        for pattern in (working.redis.platform_key("*"), "*question:person*"):
            for key in client.scan_iter(pattern):
                client.delete(key)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """People take longer than the shortest time; tests need not."""
    monkeypatch.setattr(spam_protection, "SHORTEST", timedelta(0))


FORM: dict[str, str] = {
    "name": "Ann Lee",
    "email": "ann@example.com",
    "topic": "question",
    "subject": "How do I merge two contacts?",
    "body": "There are two of the same.\nWhich one stays?",
}


@pytest.fixture
def ask() -> Callable[..., TestResponse]:
    """A function that opens a form, fills it in and sends it: ask(browser, body="…")."""

    def send(browser: Browser, path: str = "/contact", *, to: str = "", **changed: Any) -> TestResponse:
        return browser.post(to or path, {**hidden_fields(browser.get(path)), **FORM, **changed})

    return send


def hidden_fields(page: TestResponse) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text)
    return {name: unescape(value) for name, value in found}


def tickets() -> list[Ticket]:
    with control_transaction() as session:
        return list(session.scalars(select(Ticket).order_by(Ticket.created_at)))


def messages(ticket: Ticket) -> list[TicketMessage]:
    with control_transaction() as session:
        query = select(TicketMessage).where(TicketMessage.ticket_id == ticket.id).order_by(TicketMessage.id)
        return list(session.scalars(query))


def mails() -> list[PlatformMail]:
    with control_transaction() as session:
        return list(session.scalars(select(PlatformMail).order_by(PlatformMail.id)))


def mail(to: str, body: str, *, sender: str = "Ann Lee <ann@example.com>", **headers: str) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = sender, to, headers.pop("Subject", "Re: something")
    message["Message-ID"] = headers.pop("Message_ID", f"<{clock.now().timestamp()}@example.com>")
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(body)
    return message.as_bytes()


def take(content: bytes, recipient: str = "") -> Received:
    with control_transaction():
        return receive(content, recipient=recipient)
