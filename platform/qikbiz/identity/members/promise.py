"""P14: you create further logins and say who gets which access."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from qikbiz.identity.accounts.models import User
from qikbiz.identity.members.seats import seats
from qikbiz.identity.roles.queries import all_teams
from qikbiz.kernel.database import db
from qikbiz.kernel.evidence import Fact, Keeping


def _evidence() -> Sequence[Fact]:
    found = {row[0]: row[1] for row in db.session.execute(select(User.state, func.count()).group_by(User.state))}
    states = (("active", "Active"), ("invited", "Invited"), ("disabled", "Deactivated"))
    logins = [(words, str(found.get(state, 0))) for state, words in states]
    return [*logins, ("Seats taken", seats().words), ("Teams", str(len(all_teams())))]


KEEPINGS = (
    Keeping(
        promise="P14",
        how=(
            "Your administrators invite users one by one or from a table, which shows the errors of each line before "
            "any email is sent. They assign roles and teams to each user, resend invitations, and deactivate and "
            "reactivate users. A deactivated user is signed out everywhere immediately, and the records they owned can "
            "be transferred to another user, all or none, with an entry in the history of each record. The number of "
            "seats in use, and of how many if a number was agreed, is shown with your users."
        ),
        place="members.index",
        place_name="Users",
        evidence=_evidence,
        try_it="Invite a colleague, choose a role, and deactivate the user again: every session ends.",
    ),
)
