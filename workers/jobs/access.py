"""The access log's retention."""

from __future__ import annotations

from qikbiz.security.access_log.retention import forget_addresses as forget
from workers.job_context import JobContext


def forget_addresses(work: JobContext) -> None:
    """Empty old addresses and delete older rows, in the current tenant."""
    with work.finish() as session:
        forget(session)
