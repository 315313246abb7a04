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
    states = (("active", "Can log in"), ("invited", "Invited"), ("disabled", "Deactivated"))
    logins = [(words, str(found.get(state, 0))) for state, words in states]
    return [*logins, ("Seats taken", seats().words), ("Teams", str(len(all_teams())))]


KEEPINGS = (
    Keeping(
        promise="P14",
        how=(
            "Your administrators invite people one by one or from a table, which shows what is wrong with each line "
            "before any mail leaves. They give each login its roles and teams, send an invitation again, deactivate a "
            "login and let it in again. Whoever leaves is logged out everywhere at once, and what they owned can be "
            "handed over to somebody else, all of it or nothing, with a line in the history of each record. How many "
            "seats are taken, and of how many if a number was agreed, stands with your users."
        ),
        place="members.index",
        place_name="Users",
        evidence=_evidence,
        try_it="Invite a colleague, choose a role, and deactivate the login again: every session of it ends.",
    ),
)
