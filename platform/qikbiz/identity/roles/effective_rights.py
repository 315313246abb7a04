"""Which rights a login has now: its roles added up, and the members of its teams. `work` is the session to read in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from qikbiz.identity.roles.builtin_roles import ROLE_NAMES, built_in
from qikbiz.identity.roles.models import OwnRole, TeamMember
from qikbiz.kernel.rights import NOTHING, Rights, union


def granted_rights(work: Session, user_id: UUID, roles: Sequence[str]) -> Rights:
    """What a user with these roles may do. Asks the database only for what is not built in."""
    rights = union(rights_of_roles(work, roles).values()) if roles else NOTHING
    return rights.as_person(user_id, colleagues_of(work, user_id) if rights.asks_for_teams else ())


def rights_of_roles(work: Session, roles: Iterable[str]) -> dict[str, Rights]:
    """Each role's own rights, by its key. A key that no role has is left out: it allows nothing."""
    wanted = list(roles)
    own = {role.key: Rights.from_json(role.rights) for role in own_roles(work, wanted)}
    return {key: built_in().get(key) or own[key] for key in wanted if key in built_in() or key in own}


def names_of_roles(work: Session, roles: Iterable[str]) -> dict[str, str]:
    wanted = list(roles)
    own = {role.key: role.name for role in own_roles(work, wanted)}
    return {key: ROLE_NAMES.get(key) or own[key] for key in wanted if key in ROLE_NAMES or key in own}


def own_roles(work: Session, keys: Iterable[str]) -> list[OwnRole]:
    ids = [UUID(key) for key in keys if key not in built_in() and _is_id(key)]
    return list(work.scalars(select(OwnRole).where(OwnRole.id.in_(ids)))) if ids else []


def colleagues_of(work: Session, user_id: UUID) -> set[UUID]:
    """Everybody in a team with this user, and the user."""
    mine = aliased(TeamMember)
    query = select(TeamMember.user_id).join(mine, mine.team_id == TeamMember.team_id).where(mine.user_id == user_id)
    return {user_id, *work.scalars(query)}


def _is_id(key: str) -> bool:
    try:
        return str(UUID(key)) == key
    except ValueError:
        return False
