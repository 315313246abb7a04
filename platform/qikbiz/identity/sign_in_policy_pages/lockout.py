"""“By single sign-on only” is refused where it could lock everybody out."""

from __future__ import annotations

from sqlalchemy import exists, select

from qikbiz.identity.accounts.models import User, UserSession
from qikbiz.identity.accounts.principal import Principal
from qikbiz.identity.accounts.queries import is_administrator
from qikbiz.identity.accounts.realms import Realm
from qikbiz.identity.sign_in_policy.sso_only import BY_SSO, way_of
from qikbiz.identity.sso.queries import provider_row
from qikbiz.kernel.errors import Failure


class WouldLockOut(Failure):
    """Nobody could be sure to get in again; the text says what is missing."""

    key = "would_lock_out"


def refuse_locking_everybody_out(realm: Realm, person: Principal, *, for_change: bool = False) -> None:
    """Raises WouldLockOut unless an administrator has just come in by the provider as it is set up now.

    With `for_change` the provider stays as it is until the end of the transaction.
    """
    provider = provider_row(realm, for_change=for_change)
    if provider is None or not provider.is_on:
        raise WouldLockOut("Set up single sign-on and turn it on first.")
    row = realm.work.get(UserSession, person.session_key)
    if row is None or way_of(row.method) != BY_SSO or row.created_at < provider.changed_at:
        raise WouldLockOut(
            f"You are not signed in with single sign-on. Sign out, sign in with {provider.label}, and choose this "
            "again, so that you know it works."
        )
    if not person.is_administrator:
        raise WouldLockOut(
            "Only an administrator can choose this, because an emergency code works only for administrators."
        )
    has_password = exists().where(is_administrator(), User.state == "active", User.password_hash.is_not(None))
    if not realm.work.scalar(select(has_password)):
        raise WouldLockOut(
            "An emergency code needs an administrator's password, and no administrator has one. Sign out, choose "
            "“Forgot your password?” and set one."
        )
