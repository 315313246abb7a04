"""What one try to send a mail does to its row. The worker gives it two transactions: before and after the server.

Whether the person still wants it is asked here, when the mail leaves, and not when it was written (promise P18).

SMTP can't be exactly-once: when the server goes silent after it has taken the message, nobody knows whether it was
delivered. The row says from when on that may be (`data_began_at`, committed before the message is given). Until then a
mail is tried again; from then on it is `unknown`, and never sent again by itself.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any
from uuid import UUID

from jinja2 import TemplateError
from sqlalchemy import func

from config.settings import Settings
from qikbiz.identity.accounts.models import User
from qikbiz.kernel import clock
from qikbiz.kernel.circuit_breaker import CircuitBreaker
from qikbiz.kernel.database import db
from qikbiz.messaging.mail import dev_outbox, smtp
from qikbiz.messaging.mail.actions import opened_values
from qikbiz.messaging.mail.categories import CATEGORIES, category_named
from qikbiz.messaging.mail.choices import wants
from qikbiz.messaging.mail.message import compose, sender_of
from qikbiz.messaging.mail.models import MailColumns
from qikbiz.messaging.mail.rendering import Footing, render_mail
from qikbiz.messaging.mail.threading_headers import thread_headers
from qikbiz.messaging.mail.unsubscribing import list_headers, unsubscribe_url
from tenants.context import Tenant

GIVE_UP_AFTER = timedelta(days=5)
LONGEST_PAUSE = timedelta(hours=4)
ENDED = ("sent", "unknown", "failed", "dropped")
PERHAPS = "It may have arrived: the mail server did not answer after accepting it. It is not sent again automatically."
RESTS = "The mail server failed a moment ago. Emails wait for the next attempt."
OPTED_OUT = "The recipient unsubscribed from this category."
NO_LOGIN = "The user is no longer active."
NOBODY_TO_ASK = "This category can be switched off, and there is no user whose settings apply."
STOPPED = "The announcement was stopped before this email was sent."
TOO_LATE = "It could not be delivered for five days."
NOT_WRITTEN = "It could not be created: a value for its template is missing."
NO_VALUES = "Its content can't be decrypted: the key is no longer in use."
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Letter:
    """A message on its way out, so that no transaction stays open while the server is slow."""

    mail_id: UUID
    recipient: str
    message: EmailMessage


def begin(
    mail: MailColumns, tenant: Tenant | None, settings: Settings, words: Mapping[str, object] | None = None
) -> Letter | None:
    """Mark the mail as being sent and compose it. None when there is nothing (more) to send.

    `words` are those of an announcement, which are not kept with each of its mails.
    """
    if mail.state in ENDED:
        return None
    if mail.data_began_at is not None:
        mark_unknown(mail)
        return None
    refusal = _refusal(mail, tenant)
    if refusal:
        _drop(mail, *refusal)
        return None
    values = opened_values(mail, tenant.id if tenant else None) | dict(words or {})
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
    mail.state, mail.attempt, mail.subject = "sending", mail.attempt + 1, _subject_kept(mail, message)
    return Letter(mail.id, mail.to_address, message)


def _refusal(mail: MailColumns, tenant: Tenant | None) -> tuple[str, str] | None:
    """Why this mail may not leave, as (reason, words); None when it may. A category nobody knows can't be on."""
    known = CATEGORIES.get(mail.category)
    if known is not None and not known.can_be_off:
        return None
    if known is None or tenant is None or mail.person_id is None:
        return "opted_out", NOBODY_TO_ASK
    person = db.session.get(User, mail.person_id)
    if person is None or person.state != "active":
        return "no_login", NO_LOGIN
    return None if wants(person.id, known) else ("opted_out", OPTED_OUT)


def _compose(mail: MailColumns, tenant: Tenant | None, values: dict[str, Any], settings: Settings) -> EmailMessage:
    if tenant is None:
        thread = values.pop("thread", None) or {}
        rendered = render_mail(mail.template, values, sender="QikBiz")
        by_person = bool(thread.get("by_person"))
        return compose(mail, rendered, settings, thread_headers(thread), is_by_person=by_person)
    known = category_named(mail.category)
    url = unsubscribe_url(settings, tenant, mail.person_id, known) if known.can_be_off and mail.person_id else ""
    footing = Footing(url, f"{settings.origin(tenant.host)}/profile/mails") if url else Footing()
    rendered = render_mail(mail.template, values, sender=tenant.name, accent=tenant.accent, footing=footing)
    return compose(mail, rendered, settings, list_headers(tenant, known, url) if url else ())


def mark_stopped(mail: MailColumns) -> None:
    """The announcement that it belongs to was stopped. What has ended already stays as it ended."""
    if mail.state not in ENDED:
        _drop(mail, "stopped", STOPPED)


def rest_of_server(settings: Settings) -> timedelta | None:
    """How long mails wait for a server that failed; None when it may be tried now. Spread, so that they don't crowd."""
    wait = _breaker(settings.smtp_url).seconds_to_wait() if settings.smtp_url else 0.0
    return timedelta(seconds=wait + random.uniform(0, min(wait, 60.0))) if wait else None


def deliver(letter: Letter, settings: Settings, before_data: Callable[[], None]) -> None:
    """Hand the letter over. `before_data` is called before anything can arrive. Raises as `mail/smtp.py` does."""
    if settings.smtp_url is None:
        # The folder is written to at once or not at all, under the mail's own name: it needs no mark.
        dev_outbox.write(settings.mail_sink, letter.mail_id, letter.message)
        return
    breaker = _breaker(settings.smtp_url)
    try:
        smtp.hand_over(settings.smtp_url, sender_of(settings).addr_spec, letter.recipient, letter.message, before_data)
    except (smtp.NotAccepted, smtp.OutcomeUnknown) as problem:
        if getattr(problem, "is_of_server", True):
            breaker.record_failure()
        else:
            breaker.record_success()
        raise
    except smtp.RefusedForGood:
        breaker.record_success()
        raise
    breaker.record_success()


def mark_data_began(mail: MailColumns) -> None:
    """From the commit of this on the mail may have arrived, unless the server says that it has not."""
    mail.data_began_at = func.clock_timestamp()


def mark_sent(mail: MailColumns) -> None:
    _end(mail, "sent", "")
    mail.sent_at = func.now()


def mark_refused(mail: MailColumns, reason: str) -> None:
    _end(mail, "failed", reason)


def mark_unknown(mail: MailColumns) -> None:
    """The answer was lost."""
    _end(mail, "unknown", PERHAPS)


def mark_deferred(mail: MailColumns, reason: str, settings: Settings) -> datetime | None:
    """The server did not take it: when to try again, or None when it has been for too long."""
    mail.data_began_at = None
    return _wait(mail, reason, backoff(mail.attempt, settings))


def defer_untried(mail: MailColumns, rest: timedelta) -> datetime | None:
    """The server rests, so this mail was not tried: when it will be, or None when it has waited for too long."""
    return None if mail.state in ENDED or mail.data_began_at else _wait(mail, RESTS, rest)


def _wait(mail: MailColumns, reason: str, rest: timedelta) -> datetime | None:
    next_at = clock.now() + rest
    if next_at > mail.created_at + GIVE_UP_AFTER:
        _end(mail, "failed", f"{TOO_LATE} {reason}")
        return None
    mail.state, mail.next_at, mail.problem = "pending", next_at, reason
    return next_at


def backoff(attempt: int, settings: Settings) -> timedelta:
    """A minute, two, four … four hours."""
    return min(timedelta(seconds=settings.job_retry_seconds * 12 * 2 ** min(attempt - 1, 12)), LONGEST_PAUSE)


def _subject_kept(mail: MailColumns, message: EmailMessage) -> str:
    """What the row says once the mail has left. A notification names people, who may have to be forgotten."""
    known = CATEGORIES.get(mail.category)
    return known.name if known is not None and known.is_notification else str(message["Subject"])


def _breaker(url: str) -> CircuitBreaker:
    return CircuitBreaker(f"mail {url}")


def _drop(mail: MailColumns, reason: str, problem: str) -> None:
    _end(mail, "dropped", problem)
    mail.reason = reason


def _end(mail: MailColumns, state: str, problem: str) -> None:
    # The values may hold a link that opens a login: they are gone with the mail's last try.
    mail.state, mail.problem, mail.values = state, problem, {}
