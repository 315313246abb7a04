"""Confirming that it is still the user: the password, or a passkey, again."""

from __future__ import annotations

from qikbiz.identity.accounts import throttles
from qikbiz.identity.accounts.audit_events import record_failed_login
from qikbiz.identity.accounts.failures import WeakPassword, WrongPassword
from qikbiz.identity.accounts.principal import Principal
from qikbiz.identity.accounts.queries import account_for_change, has_second_factor
from qikbiz.identity.accounts.realms import Account, Realm
from qikbiz.identity.mfa.actions import show_code, show_passkey
from qikbiz.identity.passwords import hashing
from qikbiz.identity.passwords.password_verdicts import evaluate
from qikbiz.identity.sessions import sessions
from qikbiz.identity.sign_in_policy.sso_only import SsoOnly, asks_for_sso
from qikbiz.security.access_log.kinds import AccessKind
from qikbiz.security.access_log.recorder import record_access
from qikbiz.security.ip_reputation.events import record_event


def confirm(realm: Realm, person: Principal, password: str, code: str = "") -> None:
    """Make this session fresh. Who has a second factor shows it too.

    Raises WrongPassword, WeakPassword, WrongCode, TooMany or SsoOnly.
    """
    _refuse_where_sso_confirms(realm, person)
    account = account_with_password(realm, person, password)
    # Before the code, which would be used up for nothing.
    problem = evaluate(realm, account, password)
    if problem:
        record_access(AccessKind.CONFIRMED, "refused", person=account, detail="The password no longer meets the rules")
        raise WeakPassword(problem)
    if has_second_factor(realm, account.id):
        show_code(realm, account, code, place=person.session_key.hex(), is_vouched=True)
    record_access(AccessKind.CONFIRMED, person=account)
    sessions.make_fresh(realm.work, realm, person.session_key, person.id)


def confirm_by_passkey(realm: Realm, person: Principal, answer: str) -> None:
    """The same with one of the person's own passkeys, which is both. Raises PasskeyRefused or SsoOnly."""
    _refuse_where_sso_confirms(realm, person)
    record_access(AccessKind.CONFIRMED, person=show_passkey(realm, answer, "confirm", whose=person.id))
    sessions.make_fresh(realm.work, realm, person.session_key, person.id)


def account_with_password(realm: Realm, person: Principal, password: str) -> Account:
    """The account of the signed-in user, locked. Raises WrongPassword or TooMany."""
    give_back = throttles.try_confirmation(realm, person.id.hex)
    account = account_for_change(realm.work, realm, person.id)
    if not hashing.matches(account.password_hash, password):
        record_event("login_failed", account=account.email_key)
        record_access(AccessKind.CONFIRMED, "failed", person=account)
        record_failed_login(realm, account, "confirmation")
        raise WrongPassword
    give_back()
    return account


def _refuse_where_sso_confirms(realm: Realm, person: Principal) -> None:
    if asks_for_sso(realm, person):
        raise SsoOnly
