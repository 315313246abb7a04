"""Users can't give more rights than they have, nor take rights from a user who has more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select

from qikbiz.identity.accounts.models import User
from qikbiz.identity.roles.current import current_rights
from qikbiz.identity.roles.effective_rights import colleagues_of, granted_rights, own_roles, rights_of_roles
from qikbiz.identity.roles.models import OwnRole
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import Failure, Forbidden
from qikbiz.kernel.permissions import Permission
from qikbiz.kernel.rights import Rights, Scope, every_act, union


class BeyondOwnRights(Forbidden):
    """A user tried to give a right that they don't have, or to act on a user who has more."""


class NoSuchRole(Failure):
    """A role that isn't there, or is no longer."""


def may_give(roles: Sequence[str]) -> None:
    """Check that these roles exist, are not deleted meanwhile, and allow nothing that the giver can't do."""
    if not roles:
        raise NoSuchRole("Choose at least one role.")
    _hold(roles)
    found = rights_of_roles(db.session(), roles)
    if len(found) != len(set(roles)):
        raise NoSuchRole("One of these roles no longer exists. Reload the page.")
    for rights in found.values():
        may_give_rights(rights)


def may_give_rights(rights: Rights) -> None:
    if not current_rights().covers(rights):
        raise BeyondOwnRights("This would allow more than you may do. Only a user with those permissions can do it.")


def may_give_to(user: User, roles: Sequence[str]) -> None:
    """The same for a user who is in teams: their scope *team* reaches no records that the giver doesn't reach."""
    may_give(roles)
    rights = union(rights_of_roles(db.session(), roles).values())
    _refuse_reach({user.id: rights}, {user.id: colleagues_of(db.session(), user.id) - {user.id}})


def may_change_members(before: set[UUID], wanted: set[UUID], *, new: Mapping[UUID, Rights] | None = None) -> None:
    """Check that the one who acts may make `wanted` of the members `before`, and that nobody gains a wider reach by it.

    A user with the scope *team* reaches the records of everybody in their teams: those who join reach the others'
    records, and the others theirs. `new` are the rights of those who have no login yet. Raises BeyondOwnRights.
    """
    if not current_rights().can(Permission.TEAM_MANAGE):
        raise BeyondOwnRights("Only a user who may manage teams can do this.")
    joined = wanted - before
    if not joined or _reaches_everything():
        return
    users = db.session.scalars(select(User).where(User.id.in_(wanted)))
    rights = {user.id: granted_rights(db.session(), user.id, user.roles) for user in users} | dict(new or {})
    gained = {member: (wanted if member in joined else joined) - {member} for member in wanted}
    _refuse_reach(rights, {member: gained[member] - rights[member].colleagues for member in gained if member in rights})


def may_widen(role: OwnRole, rights: Rights) -> None:
    """Check that nobody who has this role gains, by its new `rights`, a reach that the one who acts doesn't have."""
    if not _reaches_everything():
        people = db.session.scalars(select(User.id).where(User.roles.contains([role.key]))).all()
        gained = {person: colleagues_of(db.session(), person) - {person} for person in people}
        _refuse_reach(dict.fromkeys(people, rights), gained)


def may_act_on(user: User) -> None:
    """Check that `user` can't do more than the one who changes the login."""
    if not current_rights().covers(granted_rights(db.session(), user.id, user.roles)):
        raise BeyondOwnRights(
            f"{user.name} may do more than you. Only a user with the same permissions can change this."
        )


def _reaches_everything() -> bool:
    return all(current_rights().owners(*act) is None for act in every_act())


def _refuse_reach(rights: Mapping[UUID, Rights], gained: Mapping[UUID, set[UUID]]) -> None:
    """Refuse when a user with the scope *team* would reach owners {person: gained} whom the giver doesn't reach."""
    mine = current_rights()
    for act in every_act():
        owners = mine.owners(*act)
        for person, reached in gained.items():
            if owners is not None and rights[person].scope(*act) is Scope.TEAM and not reached <= owners:
                raise BeyondOwnRights(
                    "This would give access to records of colleagues that you can't access. Only a user with that "
                    "access can do it."
                )


def words_for(roles: Sequence[str], names: Mapping[str, str]) -> str:
    return ", ".join(names.get(key, "a deleted role") for key in roles)


def _hold(roles: Sequence[str]) -> None:
    """Keep the roles from being deleted until the end of the transaction."""
    ids = sorted(role.id for role in own_roles(db.session(), roles))
    if ids:
        db.session.execute(select(OwnRole.id).where(OwnRole.id.in_(ids)).with_for_update(read=True, key_share=True))
