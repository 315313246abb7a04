"""Sending one mail: mark it, hand it over outside of any transaction, write down what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from config.faults import fault
from qikbiz.database import runtime
from qikbiz.failures import Unavailable
from qikbiz.mail import sender
from qikbiz.mail.models import Mail, PlatformMail
from qikbiz.mail.server import NotAccepted, OutcomeUnknown, RefusedForGood
from workers.work import Work


def send_mail(work: Work) -> None:
    settings = runtime().settings
    with work.step() as session:
        letter = sender.begin(_mail(session, work), work.tenant, settings)
    if letter is None:
        return
    fault("mail.before_server")
    put_off: tuple[datetime, str] | None = None
    try:
        sender.deliver(letter, settings)
    except RefusedForGood as refusal:
        with _outcome(work) as mail:
            sender.note_refused(mail, str(refusal))
    except (NotAccepted, OutcomeUnknown, OSError) as problem:
        note = sender.note_unknown if isinstance(problem, OutcomeUnknown) else sender.note_put_off
        reason = "The mail folder can't be written." if isinstance(problem, OSError) else str(problem)
        with _outcome(work) as mail:
            next_at = note(mail, reason, settings)
            put_off = (next_at, reason) if next_at else None
    else:
        fault("mail.after_server")
        with work.finish() as session:
            sender.note_sent(_mail(session, work))
    if put_off:
        raise Unavailable(put_off[1], retry_at=put_off[0])


def send_platform_mail(work: Work) -> None:
    send_mail(work)


@contextmanager
def _outcome(work: Work) -> Iterator[Mail | PlatformMail]:
    with work.step() as session:
        yield _mail(session, work)


def _mail(session: Session, work: Work) -> Mail | PlatformMail:
    mail_id = UUID(work.arguments["mail"])
    if work.tenant:
        return session.get_one(Mail, mail_id, with_for_update=True)
    return session.get_one(PlatformMail, mail_id, with_for_update=True)
