"""Nobody gives away more than they have, nor takes from somebody who may do more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from qikbiz.accounts.models import User
from qikbiz.database import db
from qikbiz.failures import Failure, Forbidden
from qikbiz.roles.current import current_rights
from qikbiz.roles.granted import granted_rights, own_roles, rights_of_roles
from qikbiz.roles.models import OwnRole
from qikbiz.roles.rights import Rights


class BeyondOwnRights(Forbidden):
    """Somebody tried to give a right that they don't have, or to act on somebody who has more."""


class NoSuchRole(Failure):
    """A role that isn't there, or is no longer."""


def may_give(roles: Sequence[str]) -> None:
    """Check that these roles exist, are not deleted meanwhile, and allow nothing that the giver can't do."""
    if not roles:
        raise NoSuchRole("Choose at least one role.")
    _hold(roles)
    found = rights_of_roles(db.session(), roles)
    if len(found) != len(set(roles)):
        raise NoSuchRole("One of these roles is not there any more. Open the page again.")
    for rights in found.values():
        may_give_rights(rights)


def may_give_rights(rights: Rights) -> None:
    if not current_rights().covers(rights):
        raise BeyondOwnRights("That would allow more than you may do yourself, so only somebody who may do it can.")


def may_act_on(user: User) -> None:
    """Check that `user` can't do more than the one who changes the login."""
    if not current_rights().covers(granted_rights(db.session(), user.id, user.roles)):
        raise BeyondOwnRights(f"{user.name} may do more than you, so only somebody who may do as much can change this.")


def words_for(roles: Sequence[str], names: Mapping[str, str]) -> str:
    return ", ".join(names.get(key, "a role that is gone") for key in roles)


def _hold(roles: Sequence[str]) -> None:
    """Keep the roles from being deleted until the end of the transaction."""
    ids = sorted(role.id for role in own_roles(db.session(), roles))
    if ids:
        db.session.execute(select(OwnRole.id).where(OwnRole.id.in_(ids)).with_for_update(read=True, key_share=True))
