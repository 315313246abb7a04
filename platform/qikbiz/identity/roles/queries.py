"""Reading roles and teams: each with who has it, or is in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from qikbiz.identity.accounts.models import User
from qikbiz.identity.roles.builtin_roles import ROLE_NAMES, ROLE_SUMMARIES, built_in
from qikbiz.identity.roles.models import OwnRole, Team, TeamMember
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import NotFound
from qikbiz.kernel.permissions import Role
from qikbiz.kernel.rights import Rights


@dataclass(frozen=True, slots=True)
class RoleLine:
    """A role as pages show it. `own` is its row, None for a built-in one."""

    key: str
    name: str
    summary: str
    rights: Rights
    people: tuple[str, ...] = ()
    own: OwnRole | None = None


@dataclass(frozen=True, slots=True)
class TeamLine:
    id: UUID
    name: str
    people: tuple[str, ...]


def all_roles() -> list[RoleLine]:
    """The built-in ones first, then the organisation's own by name."""
    people = _people_by_role()
    own = db.session.scalars(select(OwnRole).order_by(OwnRole.folded_name))
    return [_built_in(key, people) for key in Role] + [_line(role, people) for role in own]


def role_line(key: str) -> RoleLine:
    """Raises NotFound."""
    if key in built_in():
        return _built_in(key, _people_by_role())
    return _line(_own_role(key), _people_by_role())


def role_for_changing(key: str) -> OwnRole:
    """One of the organisation's own roles, locked. Raises NotFound; the built-in ones can't be changed."""
    return _own_role(key, with_for_update=True, populate_existing=True)


def role_choices() -> list[tuple[str, str]]:
    """(key, name) of every role, as forms offer them."""
    return [(line.key, line.name) for line in all_roles()]


def users_with_role(key: str) -> list[UUID]:
    return list(db.session.scalars(select(User.id).where(User.roles.contains([key])).order_by(User.id)))


def all_teams() -> list[TeamLine]:
    members: dict[UUID, list[str]] = {}
    query = select(TeamMember.team_id, User.name).join(User, User.id == TeamMember.user_id)
    for team_id, name in db.session.execute(query.order_by(func.lower(User.name))):
        members.setdefault(team_id, []).append(name)
    teams = db.session.scalars(select(Team).order_by(Team.folded_name))
    return [TeamLine(team.id, team.name, tuple(members.get(team.id, ()))) for team in teams]


def team_for_changing(team_id: UUID) -> Team:
    found = db.session.get(Team, team_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound("There is no such team. It may have been deleted.")
    return found


def members_of(team_id: UUID) -> set[UUID]:
    return set(db.session.scalars(select(TeamMember.user_id).where(TeamMember.team_id == team_id)))


def teams_of(user_id: UUID) -> set[UUID]:
    return set(db.session.scalars(select(TeamMember.team_id).where(TeamMember.user_id == user_id)))


def _own_role(key: str, **how: Any) -> OwnRole:
    try:
        found = db.session.get(OwnRole, UUID(key), **how)
    except ValueError:
        found = None
    if found is None:
        raise NotFound("There is no such role. It may have been deleted.")
    return found


def _built_in(key: str, people: Mapping[str, tuple[str, ...]]) -> RoleLine:
    return RoleLine(key, ROLE_NAMES[key], ROLE_SUMMARIES[key], built_in()[key], people.get(key, ()))


def _line(role: OwnRole, people: Mapping[str, tuple[str, ...]]) -> RoleLine:
    return RoleLine(role.key, role.name, "", Rights.from_json(role.rights), people.get(role.key, ()), role)


def _people_by_role() -> dict[str, tuple[str, ...]]:
    """The names of everybody who has a role, also of those who can't sign in now."""
    found: dict[str, list[str]] = {}
    for name, roles in db.session.execute(select(User.name, User.roles).order_by(func.lower(User.name))):
        for key in roles:
            found.setdefault(key, []).append(name)
    return {key: tuple(names) for key, names in found.items()}
