"""What an administrator ends for a user: a session, all of them, or the second factor."""

from __future__ import annotations

from uuid import UUID

from qikbiz.identity.accounts import emails
from qikbiz.identity.accounts.audit_events import record_login_event
from qikbiz.identity.accounts.models import User
from qikbiz.identity.accounts.queries import account_for_change
from qikbiz.identity.accounts.realms import Account, Realm
from qikbiz.identity.mfa.actions import reset_factors
from qikbiz.identity.roles.delegation import may_act_on
from qikbiz.identity.sessions import sessions
from qikbiz.identity.sessions.revocation import end_one
from qikbiz.kernel.errors import Conflict

_REASON = "ended_by_administrator"


def end_one_for(realm: Realm, user_id: UUID, key: str, *, by: str) -> User:
    """End one session or remembered device of a user, who is notified. Raises NotFound or BeyondOwnRights."""
    user = user_to_help(realm, user_id)
    device = end_one(realm, user.id, key, _REASON)
    record_login_event(realm, "session.ended", user, device=device)
    _notify(realm, user, f"{by}, an administrator of your organisation, signed out {device or 'one of your devices'}.")
    return user


def end_all_for(realm: Realm, user_id: UUID, *, by: str) -> User:
    """Sign a user out everywhere, remembered devices too."""
    user = user_to_help(realm, user_id)
    ended = sessions.end_sessions_of(realm.work, realm, user.id, _REASON)
    record_login_event(realm, "session.all_ended", user, sessions=ended)
    _notify(realm, user, f"{by}, an administrator of your organisation, signed you out everywhere.")
    return user


def reset_factors_for(realm: Realm, user_id: UUID, person_id: UUID, *, by: str) -> User:
    """Take the second factor off a colleague who has lost it; both get a mail. Nobody does it for themselves."""
    if user_id == person_id:
        raise Conflict("Change your own second factor under “Sign-in & security”.")
    user = user_to_help(realm, user_id)
    reset_factors(realm, user, by=f"{by}, an administrator of your organisation,")
    administrator = account_for_change(realm.work, realm, person_id)
    emails.send_sign_in_changed(
        realm,
        administrator,
        f"You removed the second factor of {user.name}",
        f"{user.name} ({user.email}) was signed out everywhere. The next sign-in needs only the password.",
    )
    return user


def user_to_help(realm: Realm, user_id: UUID) -> User:
    """A user of the tenant whose login the current user may manage. Raises NotFound or BeyondOwnRights."""
    user = account_for_change(realm.work, realm, user_id)
    assert isinstance(user, User)
    may_act_on(user)
    return user


def _notify(realm: Realm, account: Account, more: str) -> None:
    emails.send_sign_in_changed(realm, account, "An administrator signed you out", more)
