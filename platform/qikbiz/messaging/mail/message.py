"""From a row and what its template says to an RFC 5322 message for one recipient."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

from config.settings import Settings
from qikbiz.messaging.mail.addresses import clean_name, header_address
from qikbiz.messaging.mail.models import MailColumns
from qikbiz.messaging.mail.rendering import RenderedMail
from qikbiz.messaging.mail.unsubscribing import WholeLine

LONGEST_SUBJECT = 150


def clean_subject(subject: str) -> str:
    line = " ".join("".join(c if c.isprintable() else " " for c in subject).split())
    return line if len(line) <= LONGEST_SUBJECT else line[: LONGEST_SUBJECT - 1].rstrip() + "…"


def compose(
    mail: MailColumns,
    rendered: RenderedMail,
    settings: Settings,
    headers: Iterable[WholeLine] = (),
    *,
    is_by_person: bool = False,
) -> EmailMessage:
    """The message. Its id comes from the dedupe key, so that a second copy is known as one."""
    message = EmailMessage(policy=SMTP)
    message["Message-ID"] = message_id(mail, settings)
    message["Date"] = format_datetime(mail.created_at)
    message["From"] = sender_of(settings)
    message["To"] = header_address(mail.to_address, mail.to_name)
    message["Subject"] = clean_subject(rendered.subject)
    # Programs should not answer a program (RFC 3834).
    if not is_by_person:
        message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    for header in headers:
        message[header.name] = header
    message.set_content(rendered.text)
    message.add_alternative(rendered.html, subtype="html")
    return message


def message_id(mail: MailColumns, settings: Settings) -> str:
    digest = hashlib.sha256(f"{mail.id} {mail.dedupe_key}".encode()).hexdigest()[:32]
    domain = parseaddr(settings.mail_from)[1].rpartition("@")[2] or settings.base_domain
    return f"<{digest}@{domain}>"


def sender_of(settings: Settings) -> Address:
    name, address = parseaddr(settings.mail_from)
    return Address(display_name=clean_name(name), addr_spec=address)
