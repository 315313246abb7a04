"""What one try to send a mail does to its row. The worker gives it two transactions: before and after the server.

SMTP can't be exactly-once (research: security.md 2.4): when the server's answer is lost, mails about safety and law
are sent again under the same Message-ID, and notifications are not.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any
from uuid import UUID

from jinja2 import TemplateError
from sqlalchemy import func

from config.settings import Settings
from qikbiz.mail import server, sink
from qikbiz.mail.actions import opened_values
from qikbiz.mail.message import compose, sender_of
from qikbiz.mail.models import MailColumns
from qikbiz.mail.rendering import render_mail
from tenants.context import Tenant

GIVE_UP_AFTER = timedelta(days=5)
LONGEST_PAUSE = timedelta(hours=4)
ENDED = ("sent", "failed", "dropped")
PERHAPS = "It may have arrived: the answer of the mail server was lost. Mails of this kind are not sent twice."
TOO_LATE = "It could not be delivered for five days."
NOT_WRITTEN = "It could not be written: its text needs something that it was not given."
NO_VALUES = "What it was to say is gone: its key is no longer in use."
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Letter:
    """A message on its way out, so that no transaction stays open while the server is slow."""

    mail_id: UUID
    recipient: str
    message: EmailMessage


def begin(mail: MailColumns, tenant: Tenant | None, settings: Settings) -> Letter | None:
    """Mark the mail as being sent and compose it. None when there is nothing (more) to send."""
    if mail.state in ENDED:
        return None
    if mail.state == "sending" and mail.category == "notification":
        _end(mail, "dropped", PERHAPS)
        return None
    values = opened_values(mail, tenant.id if tenant else None)
    if not values:
        _end(mail, "failed", NO_VALUES)
        return None
    try:
        message = _compose(mail, tenant, values, settings)
    except (TemplateError, ValueError):
        # A fault of ours that no later try mends; better seen among the failed mails than repeated for days.
        logger.exception("mail_not_composed", extra={"mail": str(mail.id), "template": mail.template})
        _end(mail, "failed", NOT_WRITTEN)
        return None
    mail.state, mail.attempt, mail.subject = "sending", mail.attempt + 1, str(message["Subject"])
    return Letter(mail.id, mail.to_address, message)


def _compose(mail: MailColumns, tenant: Tenant | None, values: dict[str, Any], settings: Settings) -> EmailMessage:
    sender, accent = (tenant.name, tenant.accent) if tenant else ("QikBiz", "blue")
    return compose(mail, render_mail(mail.template, values, sender=sender, accent=accent), settings)


def deliver(letter: Letter, settings: Settings) -> None:
    """Hand the letter over. Raises what `qikbiz.mail.server` raises."""
    if settings.smtp_url is None:
        sink.write(settings.mail_sink, letter.mail_id, letter.message)
        return
    server.hand_over(settings.smtp_url, sender_of(settings).addr_spec, letter.recipient, letter.message)


def note_sent(mail: MailColumns) -> None:
    _end(mail, "sent", "")
    mail.sent_at = func.now()


def note_refused(mail: MailColumns, reason: str) -> None:
    _end(mail, "failed", reason)


def note_unknown(mail: MailColumns, reason: str, settings: Settings) -> datetime | None:
    """The answer was lost: when to send again, or None when it is not."""
    if mail.category == "notification":
        _end(mail, "dropped", PERHAPS)
        return None
    return note_put_off(mail, reason, settings)


def note_put_off(mail: MailColumns, reason: str, settings: Settings) -> datetime | None:
    """The server was away: when to try again, or None when it has been for too long."""
    now = datetime.now(UTC)
    next_at = now + pause(mail.attempt, settings)
    if next_at > mail.created_at + GIVE_UP_AFTER:
        _end(mail, "failed", f"{TOO_LATE} {reason}")
        return None
    mail.state, mail.next_at, mail.problem = "pending", next_at, reason
    return next_at


def pause(attempt: int, settings: Settings) -> timedelta:
    """A minute, two, four … four hours."""
    return min(timedelta(seconds=settings.job_retry_seconds * 12 * 2 ** min(attempt - 1, 12)), LONGEST_PAUSE)


def _end(mail: MailColumns, state: str, problem: str) -> None:
    # The values may hold a link that opens a login: they are gone with the mail's last try.
    mail.state, mail.problem, mail.values = state, problem, {}
