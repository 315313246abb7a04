"""When a job that failed is tried again, and when no more."""

from __future__ import annotations

import logging
import random
from contextlib import AbstractContextManager
from datetime import timedelta

from rq.timeouts import JobTimeoutException
from sqlalchemy.orm import Session

from qikbiz.jobs import ledger
from qikbiz.jobs.job_context import JobContext
from qikbiz.jobs.job_outcomes import NotNow
from qikbiz.kernel.database import control_transaction, runtime, tenant_transaction
from qikbiz.kernel.errors import Failure
from qikbiz.kernel.full_disks import SENTENCE, is_disk_full
from tenants.context import Tenant

LONGEST_PAUSE = timedelta(hours=1)
PLAIN_TEXT = "Something went wrong on our side. We have been notified."
TIMED_OUT = "It took longer than a job may take."
logger = logging.getLogger(__name__)


def transaction_of(tenant: Tenant | None) -> AbstractContextManager[Session]:
    """The transaction in whose database the job's row stands."""
    return tenant_transaction(tenant) if tenant else control_transaction()


def wait(work: JobContext, rest: NotNow) -> str:
    """Put a job off that was not tried. Returns its outcome."""
    logger.info("job_waits", extra={"job": str(work.job_id), "kind": work.kind, "reason": rest.text})
    with transaction_of(work.tenant) as session:
        ledger.reschedule(
            session, work.model, work.claim, until=rest.retry_at, ref="", text=rest.text, is_counted=False
        )
    return "put off"


def record_failure(work: JobContext, error: BaseException) -> str:
    """Write down that a try failed, and when the next one is; after the last there is none. Returns its outcome."""
    ref = ledger.reference(work.job_id)
    text = _plain_text(error)
    is_last = work.attempt >= work.claim.max_attempts or _is_permanent(error)
    about = {"job": str(work.job_id), "kind": work.kind, "attempt": work.attempt, "ref": ref}
    logger.error("job_failed" if is_last else "job_put_off", extra=about, exc_info=error)
    with transaction_of(work.tenant) as session:
        if is_last:
            ledger.give_up(session, work.model, work.claim, ref=ref, text=text)
        else:
            until = getattr(error, "retry_at", None) or backoff(work.attempt)
            ledger.reschedule(session, work.model, work.claim, until=until, ref=ref, text=text)
    return "failed" if is_last else "put off"


def backoff(attempt: int) -> timedelta:
    """How long to wait after this try: growing, bounded, and spread so that a crowd doesn't come back at once."""
    seconds = runtime().settings.job_retry_seconds * 4 ** (attempt - 1) * random.uniform(0.8, 1.2)
    return min(timedelta(seconds=seconds), LONGEST_PAUSE)


def _is_permanent(error: BaseException) -> bool:
    # 429 and 503 say "later"; every other expected failure would only repeat itself.
    return isinstance(error, Failure) and error.status not in (429, 503)


def _plain_text(error: BaseException) -> str:
    if is_disk_full(error):
        return error.text if isinstance(error, Failure) else SENTENCE
    if isinstance(error, Failure) and error.text:
        return error.text
    return TIMED_OUT if isinstance(error, JobTimeoutException) else PLAIN_TEXT
