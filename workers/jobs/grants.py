"""The database roles behind grants: made when a customer gives access, dropped when the grant is over."""

from __future__ import annotations

from uuid import UUID

from provisioning.guest_roles import close_ended_grants, open_due_grants, open_grant
from qikbiz.jobs.job_context import JobContext
from qikbiz.kernel.database import runtime


def open_one(work: JobContext) -> None:
    """Make the database role of the grant that was just given."""
    is_open = open_grant(runtime().settings, UUID(work.arguments["grant"]))
    with work.finish({"opened": is_open}):
        pass


def close_ended(work: JobContext) -> None:
    """Drop the database roles of all grants that have ended, and make those that are due now.

    Each minute, and at once when a user ends a grant.
    """
    closed, opened = close_ended_grants(runtime().settings), open_due_grants(runtime().settings)
    with work.finish({"closed": closed, "opened": opened}):
        pass
