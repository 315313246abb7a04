"""A mail that came in: an answer joins its ticket, a new question becomes one, and what machines write is left alone.

`qikbiz tickets receive` hands over the whole message as a mail server's pipe gives it (RFC 5322, RFC 3834).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from email.utils import getaddresses, parseaddr
from html.parser import HTMLParser

from sqlalchemy import func, select

from qikbiz.identity.accounts.realms import Realm
from qikbiz.kernel import clock
from qikbiz.kernel.database import db, runtime
from qikbiz.kernel.errors import Failure
from qikbiz.messaging.mail.addresses import clean_name, deliverable
from qikbiz.security.rate_limits.limits import keep_within
from qikbiz.trust.tickets.actions import Question, open_ticket, write_as_customer
from qikbiz.trust.tickets.addresses import ticket_of
from qikbiz.trust.tickets.emails import CUT_HERE
from qikbiz.trust.tickets.models import Ticket, TicketMessage
from qikbiz.trust.tickets.spam_protection import check_text, count_of_address
from qikbiz.trust.tickets.texts import LONGEST_BODY

LONGEST_MAIL = 2 * 1024 * 1024
# Two programs that answer each other are stopped by this at the latest.
MOST_A_DAY = 40
_TO = ("Delivered-To", "X-Original-To", "To", "Cc")
_BULK = ("bulk", "junk", "list", "auto_reply")
_ATTRIBUTION = re.compile(r"^(On .+ wrote:|Am .+ schrieb .+:|-{2,} ?Original Message ?-{2,}|_{10,})$")


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a mail: "answered", "opened", "known" (it came before) or "ignored", and why."""

    outcome: str
    reference: str = ""
    why: str = ""


class Ignored(Exception):
    """The mail is not for us to answer; the text says why."""


def receive(content: bytes, *, recipient: str = "") -> Received:
    """Take one mail in, inside `control_transaction()`. `recipient` is the envelope's, when the server gives it."""
    try:
        return _take(BytesParser(policy=default).parsebytes(content), content, recipient)
    except Ignored as ignored:
        return Received("ignored", why=str(ignored))
    except Failure as failure:
        return Received("ignored", why=failure.text or failure.key)


def _take(message: EmailMessage, content: bytes, recipient: str) -> Received:
    if len(content) > LONGEST_MAIL:
        raise Ignored("It is larger than two megabytes.")
    _ignore_machines(message)
    name, sender = _sender(message)
    message_id = _message_id(message, content)
    known = select(Ticket).join(TicketMessage, TicketMessage.ticket_id == Ticket.id)
    before = db.control.scalars(known.where(TicketMessage.message_id == message_id)).first()
    if before is not None:
        return Received("known", before.reference)
    text = _own_words(message)
    ticket = _ticket(message, recipient)
    if ticket is not None:
        return _join(ticket, name, sender, text, message_id)
    keep_within(Realm(None, ""), [count_of_address(sender)])
    check_text(text)
    opened = open_ticket(
        Question(
            name,
            sender,
            _header(message, "Subject") or "No subject",
            text,
            source="mail",
            once=f"mail {hashlib.sha256(message_id.encode()).hexdigest()[:40]}",
            message_id=message_id,
        )
    )
    return Received("opened", opened.reference)


def _join(ticket: Ticket, name: str, sender: str, text: str, message_id: str) -> Received:
    today = select(func.count()).where(
        TicketMessage.ticket_id == ticket.id,
        TicketMessage.author == "customer",
        TicketMessage.at > clock.now() - timedelta(days=1),
    )
    if (db.control.scalar(today) or 0) >= MOST_A_DAY:
        raise Ignored("This ticket got too many emails today.")
    # Another person may answer for them; staff see that it was another address.
    shown = name if sender.casefold() == ticket.email.casefold() else f"{name} <{sender}>"
    write_as_customer(ticket, text, name=shown, message_id=message_id)
    return Received("answered", ticket.reference)


def _ticket(message: EmailMessage, recipient: str) -> Ticket | None:
    for address in _recipients(message, recipient):
        found = ticket_of(runtime().settings, address)
        if found is not None:
            return db.control.get(Ticket, found, with_for_update=True)
        if "+" in address.partition("@")[0]:
            raise Ignored("Its address was not made by us.")
    return None


def _recipients(message: EmailMessage, recipient: str) -> Iterator[str]:
    """Ours only: others may stand in To as well."""
    local, _, domain = runtime().settings.support_address.casefold().partition("@")
    given = [str(value) for name in _TO for value in message.get_all(name, [])]
    for _, address in getaddresses([recipient, *given]):
        name, _, place = address.casefold().partition("@")
        if place == domain and name.partition("+")[0] == local:
            yield address


def _ignore_machines(message: EmailMessage) -> None:
    own = {runtime().settings.support_address.casefold(), parseaddr(runtime().settings.mail_from)[1].casefold()}
    sender = parseaddr(_header(message, "From"))[1].casefold()
    said = _header(message, "Auto-Submitted").partition(";")[0].strip().casefold()
    if said not in ("", "no"):
        raise Ignored("A program wrote it.")
    if _header(message, "Precedence").strip().casefold() in _BULK or message.get("List-Id"):
        raise Ignored("It came from a list.")
    if message.get("X-Autoreply") or message.get("X-Autorespond") or _header(message, "Return-Path").strip() == "<>":
        raise Ignored("It is an automatic reply.")
    if message.get_content_type() == "multipart/report" or sender.startswith(("mailer-daemon@", "postmaster@")):
        raise Ignored("It is a mail server's report.")
    if sender in own or sender.partition("+")[0] + "@" + sender.partition("@")[2] in own:
        raise Ignored("We wrote it ourselves.")


def _sender(message: EmailMessage) -> tuple[str, str]:
    name, address = parseaddr(_header(message, "From"))
    return clean_name(name) or address.partition("@")[0], deliverable(address)


def _message_id(message: EmailMessage, content: bytes) -> str:
    found = re.search(r"<[\x21-\x3b\x3d\x3f-\x7e]{3,250}>", _header(message, "Message-ID"))
    return found[0] if found else f"<{hashlib.sha256(content).hexdigest()[:40]}@received>"


def _own_words(message: EmailMessage) -> str:
    """What was written now, without what is quoted below it."""
    lines = []
    for line in _text(message).replace("\r\n", "\n").split("\n"):
        if CUT_HERE in line or _ATTRIBUTION.match(line.strip()):
            break
        if not line.startswith(">"):
            lines.append(line)
    text = "\n".join(lines).strip()
    if not text:
        raise Ignored("Nothing was written in it.")
    return text[:LONGEST_BODY]


def _text(message: EmailMessage) -> str:
    part = message.get_body(("plain", "html"))
    if part is None:
        raise Ignored("It holds no text.")
    try:
        content = str(part.get_content())
    except (LookupError, UnicodeError, ValueError):
        raw = part.get_payload(decode=True)
        content = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else ""
    return _Words.of(content) if part.get_content_subtype() == "html" else content


def _header(message: EmailMessage, name: str) -> str:
    try:
        return str(message.get(name, ""))
    except (ValueError, IndexError, AttributeError):
        # Rubbish that the standard parser stumbles over.
        return ""


class _Words(HTMLParser):
    """The text of a mail that has only HTML."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[str] = []
        self._hidden = 0

    @classmethod
    def of(cls, html: str) -> str:
        words = cls()
        words.feed(html)
        return "".join(words._parts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("script", "style", "head", "blockquote")
        if tag in ("br", "p", "div", "tr", "li"):
            self._parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("script", "style", "head", "blockquote") and self._hidden > 0

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._parts.append(data)
