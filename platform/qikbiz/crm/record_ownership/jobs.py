"""Transferring the records that a user owns, when they are too many for a request."""

from __future__ import annotations

from uuid import UUID

from qikbiz.crm.record_ownership.transfer import move_records
from qikbiz.identity.accounts.models import User
from qikbiz.identity.roles.current import rights_of_user
from qikbiz.jobs.job_context import JobContext
from qikbiz.jobs.job_outcomes import JobRefused
from qikbiz.kernel.actors import Actor, acting_as
from qikbiz.kernel.errors import Failure
from qikbiz.kernel.permissions import Permission


def transfer_records(work: JobContext) -> None:
    """All records of `from` to `to`, in one transaction; the user who asked for it must still be allowed to."""
    given = {name: UUID(work.arguments[name]) for name in ("from", "to", "by")}
    result: dict[str, object] = {}
    try:
        with work.finish(result) as session:
            asker = session.get(User, given["by"])
            if asker is None or not rights_of_user(given["by"]).can(Permission.USER_MANAGE):
                raise JobRefused("The user who requested this may no longer do it. Nothing was changed.")
            with acting_as(Actor("user", asker.id, asker.name)):
                result["moved"] = move_records(session, given["from"], given["to"], work.progress)
    except Failure as failure:
        raise JobRefused(failure.text) from failure
