"""Making teams and choosing who is in them. A user who joins or leaves sees other records at the next request."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import delete, select

from qikbiz.audit.actions import record
from qikbiz.identity.accounts.models import User
from qikbiz.identity.roles.actions import NameTaken, hold_to_it
from qikbiz.identity.roles.delegation import may_change_members
from qikbiz.identity.roles.models import Team, TeamMember
from qikbiz.identity.roles.queries import members_of, team_for_changing
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import Conflict, Failure


def create_team(name: str) -> Team:
    """Raises NameTaken, BeyondOwnRights."""
    may_change_members(set(), set())
    _refuse_taken(name)
    team = Team(name=name, folded_name=name.casefold())
    db.session.add(team)
    db.session.flush()
    _audit("team.created", team, {})
    return team


def change_team(team_id: UUID, name: str, people: Iterable[UUID], *, seen: str = "") -> Team:
    """Give a team another name and other members. `seen` is `edition_of` the team as the person saw it.

    Raises NameTaken, NotFound, BeyondOwnRights, Conflict when somebody else changed it meanwhile, Failure for somebody
    unknown.
    """
    team = team_for_changing(team_id)
    before, wanted = members_of(team_id), set(people)
    if seen and seen != edition_of(team.name, before):
        raise Conflict("Someone else changed this team. Nothing was saved. Reload the page and try again.")
    _refuse_taken(name, but_not=team_id)
    names = _names(before | wanted)
    if wanted - names.keys():
        raise Failure("One of these users no longer exists. Reload the page.")
    changes = {"Name": [team.name, name], "Members": [_listed(before, names), _listed(wanted, names)]}
    changed = {what: pair for what, pair in changes.items() if pair[0] != pair[1]}
    if changed:
        may_change_members(before, wanted)
        team.name, team.folded_name = name, name.casefold()
        _write_members(team_id, before, wanted)
        _audit("team.changed", team, {"changes": changed})
    return team


def join_teams(user_id: UUID, teams: Iterable[UUID]) -> None:
    """Put a user into exactly these teams. Raises NotFound."""
    wanted = set(teams)
    mine = set(db.session.scalars(select(TeamMember.team_id).where(TeamMember.user_id == user_id)))
    for team_id in sorted(wanted ^ mine):
        team, people = team_for_changing(team_id), members_of(team_id)
        changed = people | {user_id} if team_id in wanted else people - {user_id}
        change_team(team_id, team.name, changed)


def delete_team(team_id: UUID) -> str:
    """Delete a team, and give its name. Its members keep their own records."""
    team, people = team_for_changing(team_id), members_of(team_id)
    may_change_members(people, set())
    _audit("team.deleted", team, {"members": _listed(people, _names(people))})
    db.session.execute(delete(TeamMember).where(TeamMember.team_id == team_id))
    db.session.delete(team)
    hold_to_it(people)
    return team.name


def edition_of(name: str, members: Iterable[UUID]) -> str:
    """Tells one state of a team from another, for forms that were opened before another user changed it."""
    return hashlib.sha256("\n".join([name, *sorted(str(one) for one in members)]).encode()).hexdigest()[:16]


def _write_members(team_id: UUID, before: set[UUID], wanted: set[UUID]) -> None:
    gone = TeamMember.team_id == team_id, TeamMember.user_id.in_(before - wanted)
    db.session.execute(delete(TeamMember).where(*gone))
    db.session.add_all(TeamMember(team_id=team_id, user_id=user_id) for user_id in sorted(wanted - before))
    db.session.flush()
    # Everybody in the team reaches other records now, not only those who came or went.
    hold_to_it(before | wanted)


def _names(people: Iterable[UUID]) -> dict[UUID, str]:
    rows = db.session.execute(select(User.id, User.name).where(User.id.in_(list(people))))
    return {row.id: row.name for row in rows}


def _listed(people: Iterable[UUID], names: dict[UUID, str]) -> str:
    return ", ".join(sorted(names[one] for one in people if one in names))


def _refuse_taken(name: str, *, but_not: UUID | None = None) -> None:
    query = select(Team.id).where(Team.folded_name == name.casefold(), Team.id != but_not)
    if db.session.scalar(query) is not None:
        raise NameTaken(f"A team named “{name}” already exists.")


def _audit(action: str, team: Team, details: dict[str, object]) -> None:
    record(action, record_type="team", record_id=team.id, subject=team.name, details=dict(details))
