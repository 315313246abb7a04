"""What administrators do with users: invite them, change their roles, deactivate and reactivate them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from qikbiz.identity.accounts import emails, lifetimes, session_invalidation
from qikbiz.identity.accounts.audit_events import record_login_event
from qikbiz.identity.accounts.failures import AlreadyThere, LastAdministrator
from qikbiz.identity.accounts.models import User
from qikbiz.identity.accounts.queries import account_for_change, account_named, lock_administrators
from qikbiz.identity.accounts.realms import Account, Realm, same_address, staff_realm, tenant_realm
from qikbiz.identity.accounts.tokens import end_links, make_link
from qikbiz.identity.members.seats import take_seat
from qikbiz.identity.roles.delegation import may_act_on, may_give, may_give_to, words_for
from qikbiz.identity.roles.effective_rights import names_of_roles
from qikbiz.identity.sessions import sessions
from qikbiz.kernel.permissions import Role, StaffRole


def invite_user(email: str, name: str, roles: Sequence[str], *, invited_by: str = "") -> str:
    """Add a login to the tenant entered and mail the invitation; returns the link.

    Raises AlreadyThere, BeyondOwnRights, NoSuchRole, NoSeatLeft.
    """
    may_give(roles)
    return _invite(tenant_realm(), email, name, roles, invited_by)


def invite_staff(email: str, name: str, role: str) -> str:
    """The same for the platform's staff, inside `control_transaction()`."""
    return _invite(staff_realm(), email, name, [StaffRole(role).value], "")


def resend_invitation(user_id: UUID, *, invited_by: str) -> User:
    """Mail a new link; the one before ends. Raises AlreadyThere, BeyondOwnRights."""
    realm = tenant_realm()
    user = account_for_change(realm.work, realm, user_id)
    if user.state != "invited":
        raise AlreadyThere(f"{user.name} has already accepted.")
    assert isinstance(user, User)
    # A link to a login is as good as the login: a user who may do more is not invited again by one who may do less.
    may_act_on(user)
    _send_invitation(realm, user, invited_by)
    return user


def change_roles(user_id: UUID, roles: Sequence[str]) -> User:
    """Give a user other roles, felt at the next request. Raises LastAdministrator, BeyondOwnRights, NoSuchRole."""
    wanted = list(dict.fromkeys(roles))
    user, administrators = _user_beside_administrators(user_id)
    if Role.ADMINISTRATOR not in wanted:
        _keep_an_administrator(user, administrators)
    may_give_to(user, wanted)
    may_act_on(user)
    before, user.roles = user.roles, wanted
    realm = tenant_realm()
    names = names_of_roles(realm.work, [*before, *wanted])
    record_login_event(
        realm, "user.roles_changed", user, changes={"roles": [words_for(before, names), words_for(wanted, names)]}
    )
    session_invalidation.invalidate_after_commit(realm.work, realm, [user.id])
    return user


def disable_user(user_id: UUID) -> User:
    """No more sign-ins with this; sessions end at the next request. Raises LastAdministrator."""
    user, administrators = _user_beside_administrators(user_id)
    _keep_an_administrator(user, administrators)
    may_act_on(user)
    realm = tenant_realm()
    user.state = "disabled"
    user.epoch += 1
    end_links(realm.work, realm, user)
    sessions.end_sessions_of(realm.work, realm, user.id, "disabled")
    record_login_event(realm, "user.disabled", user)
    return user


def enable_user(user_id: UUID) -> User:
    """Let a disabled user sign in again, or have an invited one wait as before. Raises NoSeatLeft."""
    user, _ = _user_beside_administrators(user_id)
    may_act_on(user)
    if user.state == "disabled":
        take_seat()
        user.state = "active" if user.password_hash else "invited"
        record_login_event(tenant_realm(), "user.enabled", user)
    return user


def _user_beside_administrators(user_id: UUID) -> tuple[User, list[User]]:
    # The administrators first and always in one order: so two requests wait and don't deadlock.
    administrators = lock_administrators()
    realm = tenant_realm()
    user = account_for_change(realm.work, realm, user_id)
    assert isinstance(user, User)
    return user, administrators


def _keep_an_administrator(user: User, administrators: list[User]) -> None:
    if [administrator.id for administrator in administrators] == [user.id]:
        raise LastAdministrator(f"{user.name} is the only administrator. Make another user an administrator first.")


def _invite(realm: Realm, email: str, name: str, roles: Sequence[str], invited_by: str) -> str:
    account = account_named(realm.work, realm, email)
    if account is not None and account.state != "invited":
        raise AlreadyThere(f"{email} already has an account here.")
    if account is None:
        if realm.kind == "user":
            take_seat()
        account = realm.people(email=email.strip(), email_key=same_address(email), state="invited")
        realm.work.add(account)
    elif isinstance(account, User):
        # Inviting again gives other roles. They take nothing from a user who may do more than the inviter, and give a
        # member of a team no records that the inviter can't see.
        may_act_on(account)
        may_give_to(account, roles)
    account.name = name
    account.give_roles(roles)
    realm.work.flush()
    return _send_invitation(realm, account, invited_by)


def _send_invitation(realm: Realm, account: Account, invited_by: str) -> str:
    url = make_link(realm.work, realm, account, "invitation", lifetimes.INVITATION)
    emails.send_invitation(realm, account, url, invited_by=invited_by)
    record_login_event(realm, "user.invited", account)
    return url
