"""A new password: by an emailed link, by an invitation, in the middle of a sign-in, or in the user's own profile."""

from __future__ import annotations

from qikbiz.identity.accounts import emails
from qikbiz.identity.accounts.audit_events import record_login_event
from qikbiz.identity.accounts.failures import WeakPassword
from qikbiz.identity.accounts.principal import Principal
from qikbiz.identity.accounts.queries import has_second_factor, has_users
from qikbiz.identity.accounts.realms import Account, Realm
from qikbiz.identity.accounts.tokens import account_behind, end_links, end_links_of_others
from qikbiz.identity.login.confirmation import account_with_password
from qikbiz.identity.login.login_steps import admit
from qikbiz.identity.passwords import hashing
from qikbiz.identity.passwords.actions import set_password
from qikbiz.identity.sessions import sessions
from qikbiz.identity.sign_in_policy.sso_only import asks_for_sso, require_way
from qikbiz.kernel import clock
from qikbiz.security.access_log.kinds import AccessKind
from qikbiz.security.access_log.recorder import record_access


def use_password_link(realm: Realm, secret: str, password: str) -> str:
    """Set a new password by a mailed link: every session ends, and a new one begins here, after the second factor of
    whoever has one. Returns the path to go to."""
    account, _token = account_behind(realm.work, realm, "password", secret)
    require_way(realm, "password_link", person=account)
    set_password(realm, account, password)
    # Those that were mailed beside this one too.
    end_links(realm.work, realm, account, "password")
    account.epoch += 1
    sessions.end_sessions_of(realm.work, realm, account.id, "password_changed")
    emails.send_password_changed(realm, account)
    record_access(AccessKind.PASSWORD_CHANGED, person=account, detail="With an emailed link")
    record_login_event(realm, "password.changed", account, how="link")
    return admit(realm, account, "password_link")


def accept_invitation(realm: Realm, secret: str, name: str, password: str) -> str:
    """Choose name and password by an invitation's link, and be signed in. Returns the path to go to."""
    account, token = account_behind(realm.work, realm, "invitation", secret)
    require_way(realm, "invitation", person=account)
    if realm.tenant and not has_users():
        # Until now only operators could invite: from here on it is for the users to say who comes in (P8).
        end_links_of_others(realm.work, realm, account)
    account.name = name
    set_password(realm, account, password)
    token.used_at = clock.now()
    account.state = "active"
    record_access(AccessKind.INVITATION_ACCEPTED, person=account)
    record_login_event(realm, "user.joined", account)
    return admit(realm, account, "invitation")


def change_password(realm: Realm, person: Principal, old: str, new: str) -> None:
    """Change one's own password; the other sessions end. Raises WrongPassword, WeakPassword or TooMany."""
    account = account_with_password(realm, person, old)
    set_password(realm, account, new)
    if not has_second_factor(realm, account.id) and not asks_for_sso(realm, person):
        sessions.make_fresh(realm.work, realm, person.session_key, person.id)
    sessions.end_sessions_of(realm.work, realm, account.id, "password_changed", except_key=person.session_key)
    end_links(realm.work, realm, account, "password")
    emails.send_password_changed(realm, account)
    record_access(AccessKind.PASSWORD_CHANGED, person=account)
    record_login_event(realm, "password.changed", account, how="profile")


def replace_password(realm: Realm, account: Account, password: str) -> None:
    """A new password in the middle of a login, because the one just given no longer does. Raises WeakPassword."""
    if hashing.matches(account.password_hash, password):
        raise WeakPassword("This is your current password. Choose another one.")
    set_password(realm, account, password)
    sessions.end_sessions_of(realm.work, realm, account.id, "password_changed")
    end_links(realm.work, realm, account, "password")
    emails.send_password_changed(realm, account)
    record_access(AccessKind.PASSWORD_CHANGED, person=account)
    record_login_event(realm, "password.changed", account, how="login")
