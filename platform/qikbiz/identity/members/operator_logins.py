"""Logins that an operator's command asks for: a tenant's first administrator, and after that only proposals (P8).

A proposal is a user in the state "invited" without a link. Nobody can accept it before an administrator of the
customer sends the invitation, so no command gives a login to a tenant that has users.
"""

from __future__ import annotations

from sqlalchemy import select

from qikbiz.identity.accounts import emails
from qikbiz.identity.accounts.audit_events import record_login_event
from qikbiz.identity.accounts.failures import AlreadyThere
from qikbiz.identity.accounts.models import User
from qikbiz.identity.accounts.queries import account_named, administrators, has_users, is_administrator
from qikbiz.identity.accounts.realms import same_address, tenant_realm
from qikbiz.identity.accounts.tokens import end_links_of_others
from qikbiz.identity.members.actions import invite_user
from qikbiz.identity.members.seats import take_seat
from qikbiz.identity.passwords.actions import set_password
from qikbiz.identity.roles.builtin_roles import ROLE_NAMES
from qikbiz.identity.roles.delegation import may_give
from qikbiz.kernel.actors import current_actor
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import Conflict
from qikbiz.kernel.permissions import Role


class HasUsers(Conflict):
    """The tenant has users: only they decide who gets a login."""


def add_first_administrator(email: str, name: str, password: str) -> User:
    """The first login of the tenant entered, which works at once. Other invitations that are on their way end.

    Raises HasUsers, AlreadyThere for an invited address, NoSeatLeft, WeakPassword.
    """
    # An invitation that is accepted at this moment holds its row; it is waited for, then looked at.
    db.session.execute(select(User.id).with_for_update()).all()
    if has_users():
        raise HasUsers("This workspace has active users, so users choose their own passwords.")
    if account_named(db.session(), tenant_realm(), email) is not None:
        raise AlreadyThere(f"{email} is invited already. Only the invited person can accept the invitation.")
    take_seat()
    user = _added(email, name, Role.ADMINISTRATOR)
    user.state = "active"
    set_password(tenant_realm(), user, password)
    end_links_of_others(db.session(), tenant_realm(), user)
    record_login_event(tenant_realm(), "user.created", user, role=Role.ADMINISTRATOR.value)
    _notify_administrators(user, Role.ADMINISTRATOR, is_made=True)
    return user


def invite_first_again(email: str, name: str) -> User:
    """Mail a new link to the one who was invited before there was a user. Raises HasUsers."""
    db.session.execute(select(User.id).with_for_update()).all()
    if has_users():
        raise HasUsers("This workspace has active users, so an administrator sends invitations.")
    known = account_named(db.session(), tenant_realm(), email)
    assert isinstance(known, User)
    invite_user(email, name, known.roles)
    return known


def propose_user(email: str, name: str, role: str) -> User:
    """Add a user who is not invited yet. The invitation leaves when an administrator sends it; all are notified.

    Raises AlreadyThere, NoSeatLeft, NoSuchRole.
    """
    may_give([role])
    if account_named(db.session(), tenant_realm(), email) is not None:
        raise AlreadyThere(f"{email} is on the list of users already.")
    take_seat()
    user = _added(email, name, role)
    record_login_event(tenant_realm(), "user.proposed", user, role=role)
    _notify_administrators(user, role, is_made=False)
    return user


def _added(email: str, name: str, role: str) -> User:
    user = User(email=email, email_key=same_address(email), name=name, roles=[role], state="invited")
    db.session.add(user)
    db.session.flush()
    return user


def _notify_administrators(user: User, role: str, *, is_made: bool) -> None:
    """Everybody who administers the organisation, or is invited to."""
    people = administrators()
    if is_made:
        people += db.session.scalars(select(User).where(is_administrator(), User.state == "invited")).all()
    said = {"role": ROLE_NAMES.get(role, role), "by": current_actor().name}
    for person in people:
        emails.send_operator_login(tenant_realm(), person, user=user, is_made=is_made, **said)
