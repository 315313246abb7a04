"""The rights of the current actor: in a request, in a job that a user requested, on the command line."""

from __future__ import annotations

from uuid import UUID

from qikbiz.identity.accounts.models import User
from qikbiz.identity.roles.builtin_roles import everything
from qikbiz.identity.roles.effective_rights import granted_rights
from qikbiz.kernel.actors import current_actor
from qikbiz.kernel.database import db
from qikbiz.kernel.rights import NOTHING, Rights

_KNOWN = "rights_of_users"


def current_rights() -> Rights:
    """What the current actor may do now. An actor that isn't known to have rights has none.

    The program itself has all that a tenant has; so have staff under a customer's grant, as far as the login behind it
    lets them. A user outside of a request, in a job, has what the roles give at this moment.
    """
    actor = current_actor()
    if actor.rights is not None:
        return actor.rights
    if actor.kind == "system" or (actor.kind == "staff" and actor.grant is not None):
        return everything()
    if actor.kind == "user" and actor.id is not None:
        return _looked_up(actor.id)
    return NOTHING


def rights_of_user(user_id: UUID) -> Rights:
    """What a user of the tenant entered may do now; nothing for one who can't sign in."""
    user = db.session.get(User, user_id, populate_existing=True)
    if user is None or user.state != "active":
        return NOTHING
    return granted_rights(db.session(), user.id, user.roles)


def _looked_up(user_id: UUID) -> Rights:
    # Once in a transaction: its own work doesn't change what it may do half-way.
    known: dict[UUID, Rights] = db.session().info.setdefault(_KNOWN, {})
    if user_id not in known:
        known[user_id] = rights_of_user(user_id)
    return known[user_id]
