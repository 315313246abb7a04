"""Sending one email: mark it, hand it over outside of any transaction, write down what came of it; and retention."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Delete, delete, func
from sqlalchemy.orm import Session

from config.fault_injection import fault
from config.settings import Settings
from qikbiz.jobs.job_context import JobContext
from qikbiz.jobs.job_outcomes import NotNow
from qikbiz.kernel.database import runtime
from qikbiz.kernel.errors import Unavailable
from qikbiz.messaging.mail import announcement_hooks, delivery
from qikbiz.messaging.mail.models import Mail, PlatformMail
from qikbiz.messaging.mail.smtp import NotAccepted, OutcomeUnknown, RefusedForGood

KEPT = timedelta(days=30)
# Those that failed stay until an operator has looked at them.
ENDED = ("sent", "unknown", "dropped")


def send_mail(work: JobContext) -> None:
    announcement_id = _send(work)
    if announcement_id and work.tenant:
        announcement_hooks.AFTER_SENDING.value(work.tenant, announcement_id)


def send_platform_mail(work: JobContext) -> None:
    send_mail(work)


def delete_old_mails(work: JobContext) -> None:
    """Delete the ended emails of the tenant: they hold addresses."""
    with work.finish() as session:
        session.execute(_ended(Mail))


def delete_old_platform_mails(work: JobContext) -> None:
    with work.finish() as session:
        session.execute(_ended(PlatformMail))


def _send(work: JobContext) -> UUID | None:
    """Gives the announcement that the mail belongs to, if any. Raises NotNow while the mail server rests."""
    settings = runtime().settings
    rest = delivery.rest_of_server(settings)
    with work.step() as session:
        mail = _mail(session, work)
        announcement_id = mail.announcement_id if isinstance(mail, Mail) else None
        wait_until = delivery.defer_untried(mail, rest) if rest else None
        letter = None if wait_until else _letter(mail, work, settings, announcement_id)
    if wait_until:
        raise NotNow(delivery.RESTS, retry_at=wait_until)
    if letter is None:
        return announcement_id
    fault("mail.before_server")
    reschedule = _hand_over(letter, work, settings)
    if reschedule:
        raise Unavailable(reschedule[1], retry_at=reschedule[0])
    return announcement_id


def _hand_over(letter: delivery.Letter, work: JobContext, settings: Settings) -> tuple[datetime, str] | None:
    """When to try again and why; None when the mail has ended."""
    try:
        delivery.deliver(letter, settings, lambda: _begin_data(work))
    except RefusedForGood as refusal:
        with _outcome(work) as mail:
            delivery.mark_refused(mail, str(refusal))
    except OutcomeUnknown:
        with _outcome(work) as mail:
            delivery.mark_unknown(mail)
    except (NotAccepted, OSError) as problem:
        reason = "The mail folder can't be written." if isinstance(problem, OSError) else str(problem)
        with _outcome(work) as mail:
            next_at = delivery.mark_deferred(mail, reason, settings)
        return (next_at, reason) if next_at else None
    else:
        fault("mail.after_server")
        with work.finish() as session:
            delivery.mark_sent(_mail(session, work))
    return None


def _begin_data(work: JobContext) -> None:
    # Raises LeaseLost when another worker holds the job meanwhile: this one then sends nothing.
    with _outcome(work) as mail:
        delivery.mark_data_began(mail)
    fault("mail.data_began")


def _letter(
    mail: Mail | PlatformMail, work: JobContext, settings: Settings, announcement_id: UUID | None
) -> delivery.Letter | None:
    words = announcement_hooks.WORDS.value(announcement_id) if announcement_id else {}
    if words is None:
        delivery.mark_stopped(mail)
        return None
    return delivery.begin(mail, work.tenant, settings, words)


@contextmanager
def _outcome(work: JobContext) -> Iterator[Mail | PlatformMail]:
    with work.step() as session:
        yield _mail(session, work)


def _mail(session: Session, work: JobContext) -> Mail | PlatformMail:
    mail_id = UUID(work.arguments["mail"])
    if work.tenant:
        return session.get_one(Mail, mail_id, with_for_update=True)
    return session.get_one(PlatformMail, mail_id, with_for_update=True)


def _ended(model: type[Mail] | type[PlatformMail]) -> Delete:
    return delete(model).where(model.state.in_(ENDED), model.created_at < func.now() - KEPT)
