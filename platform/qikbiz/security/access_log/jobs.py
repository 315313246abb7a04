"""The access log's retention."""

from __future__ import annotations

from qikbiz.jobs.job_context import JobContext
from qikbiz.security.access_log.retention import clear_expired_addresses


def delete_old_addresses(work: JobContext) -> None:
    """Empty old addresses and delete older rows, in the current tenant."""
    with work.finish() as session:
        clear_expired_addresses(session)
