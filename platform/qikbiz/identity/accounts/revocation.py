"""Ending logins from a list of them: one's own, or those of somebody whom an administrator looks after."""

from __future__ import annotations

from uuid import UUID

from qikbiz.identity.accounts import emails, session_store, sessions
from qikbiz.identity.accounts.audit_events import note_login_act
from qikbiz.identity.accounts.models import User
from qikbiz.identity.accounts.queries import account_for_change
from qikbiz.identity.accounts.realms import Account, Realm
from qikbiz.identity.mfa.actions import reset_factors
from qikbiz.identity.roles.delegation import may_act_on
from qikbiz.kernel.errors import Conflict, NotFound

_REASON = "ended_by_administrator"


def end_one(realm: Realm, person_id: UUID, key: str, reason: str) -> str:
    """End one session of this person, or forget one remembered device; returns the device. Raises NotFound."""
    for row in session_store.live_sessions(realm.work, realm, person_id):
        if row.id_hash.hex() == key:
            sessions.end_session_and_device(realm.work, realm, row, reason)
            return row.device
    for series in session_store.resting_devices(realm.work, realm, person_id):
        if series.series_hash.hex() == key:
            sessions.forget_resting_device(realm.work, series, reason)
            return series.device
    raise NotFound


def end_one_for(realm: Realm, user_id: UUID, key: str, *, by: str) -> User:
    """The same by an administrator: written down, and told to the person. Raises NotFound or BeyondOwnRights."""
    user = user_to_help(realm, user_id)
    device = end_one(realm, user.id, key, _REASON)
    note_login_act(realm, "session.ended", user, device=device)
    _tell(realm, user, f"{by}, who administers your organisation, logged out {device or 'one of your devices'}.")
    return user


def end_all_for(realm: Realm, user_id: UUID, *, by: str) -> User:
    """Log somebody out everywhere, remembered devices too."""
    user = user_to_help(realm, user_id)
    ended = sessions.end_sessions_of(realm.work, realm, user.id, _REASON)
    note_login_act(realm, "session.all_ended", user, sessions=ended)
    _tell(realm, user, f"{by}, who administers your organisation, logged you out everywhere.")
    return user


def reset_factors_for(realm: Realm, user_id: UUID, person_id: UUID, *, by: str) -> User:
    """Take the second factor off a colleague who has lost it; both get a mail. Nobody does it for themselves."""
    if user_id == person_id:
        raise Conflict("Change your own second factor under “Sign-in & security”.")
    user = user_to_help(realm, user_id)
    reset_factors(realm, user, by=f"{by}, who administers your organisation,")
    administrator = account_for_change(realm.work, realm, person_id)
    emails.send_sign_in_changed(
        realm,
        administrator,
        f"You took the second factor off the login of {user.name}",
        f"{user.name} ({user.email}) was logged out everywhere and logs in with the password alone next time.",
    )
    return user


def user_to_help(realm: Realm, user_id: UUID) -> User:
    """Somebody of the tenant whose login whoever is logged in may look after. Raises NotFound or BeyondOwnRights."""
    user = account_for_change(realm.work, realm, user_id)
    assert isinstance(user, User)
    may_act_on(user)
    return user


def _tell(realm: Realm, account: Account, more: str) -> None:
    emails.send_sign_in_changed(realm, account, "You were logged out by an administrator", more)
