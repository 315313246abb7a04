"""What can be done with logins: log in and out, choose a password, change who may do what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from qikbiz.identity.accounts import emails, passwords, remember_me, session_invalidation, sessions, throttles
from qikbiz.identity.accounts.audit_events import note_failed_login, note_login_act
from qikbiz.identity.accounts.failures import AlreadyThere, LastAdministrator, WeakPassword, WrongPassword
from qikbiz.identity.accounts.login_steps import admit
from qikbiz.identity.accounts.models import User
from qikbiz.identity.accounts.password_verdicts import judge, problem_since
from qikbiz.identity.accounts.principal import Principal
from qikbiz.identity.accounts.queries import (
    account_for_change,
    account_named,
    has_second_factor,
    has_users,
    lock_administrators,
)
from qikbiz.identity.accounts.realms import Account, Realm, names_of, same_address, staff_realm, tenant_realm
from qikbiz.identity.accounts.seats import take_seat
from qikbiz.identity.accounts.tokens import account_behind, end_links, end_links_of_others, make_link
from qikbiz.identity.mfa.actions import show_code, show_passkey
from qikbiz.identity.roles.delegation import may_act_on, may_give, may_give_to, words_for
from qikbiz.identity.roles.effective_rights import names_of_roles
from qikbiz.identity.sign_in_policy.networks import require_inside
from qikbiz.identity.sign_in_policy.queries import policy_of, policy_to_judge_by
from qikbiz.identity.sign_in_policy.rules import Policy
from qikbiz.identity.sign_in_policy.sso_only import SsoOnly, asks_for_sso, require_way
from qikbiz.kernel import clock
from qikbiz.kernel.errors import TooMany
from qikbiz.kernel.permissions import Role, StaffRole
from qikbiz.security.access_log.kinds import AccessKind
from qikbiz.security.access_log.recorder import record_access
from qikbiz.security.ip_reputation.events import begin_sign_in_try, record_event
from qikbiz.web.metrics import count_login

_NOT_OPEN = ("invited", "disabled")


def log_in(realm: Realm, email: str, password: str, *, remember: bool, target: str = "/") -> str:
    """Log in with name and password; returns the path to go to, where a second factor may be asked for.

    Raises WrongPassword or TooMany; both look the same for names nobody has.
    """
    name = same_address(email)
    account, is_known_device, policy = _look_up(realm, name)
    try:
        attempt = throttles.try_login(realm, name, is_known_device=is_known_device)
    except TooMany:
        record_access(AccessKind.LOGIN, "refused", person=account, account=name, detail="Too many attempts")
        raise
    counted, take_back = begin_sign_in_try()
    is_open = account is not None and account.state not in _NOT_OPEN
    if not passwords.matches(account.password_hash if account and is_open else None, password) or account is None:
        record_event("login_failed" if account else "login_unknown", account=name, counted=counted, is_sign_in=True)
        record_access(AccessKind.LOGIN, "failed", person=account, account=name)
        note_failed_login(realm, account, "password")
        count_login(realm.kind, "wrong")
        raise WrongPassword
    attempt.give_back()
    take_back()
    record_event("login_succeeded", account=name)
    count_login(realm.kind, "right")
    known = policy, problem_since(realm, account, password, policy)
    return _welcome(realm, account.id, password, known, remember=remember, target=target, is_hot=attempt.is_hot)


def log_out(realm: Realm, person: Principal) -> None:
    """End this session and, on this device, the remembering."""
    sessions.end_session(realm.work, realm, person.session_key, "logout")
    remember_me.forget_device(realm.work, realm)
    record_access(AccessKind.LOGOUT, person=person)
    note_login_act(realm, "login.ended", person)


def confirm(realm: Realm, person: Principal, password: str, code: str = "") -> None:
    """Make this session fresh. Who has a second factor shows it too.

    Raises WrongPassword, WeakPassword, WrongCode, TooMany or SsoOnly.
    """
    _refuse_where_sso_confirms(realm, person)
    account = _account_with_password(realm, person, password)
    # Before the code, which would be used up for nothing.
    problem = judge(realm, account, password)
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
    note_login_act(realm, "password.changed", account, how="link")
    return admit(realm, account, "password_link")


def accept_invitation(realm: Realm, secret: str, name: str, password: str) -> str:
    """Choose name and password by an invitation's link, and be logged in. Returns the path to go to."""
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
    note_login_act(realm, "user.joined", account)
    return admit(realm, account, "invitation")


def change_password(realm: Realm, person: Principal, old: str, new: str) -> None:
    """Change one's own password; the other sessions end. Raises WrongPassword, WeakPassword or TooMany."""
    account = _account_with_password(realm, person, old)
    set_password(realm, account, new)
    if not has_second_factor(realm, account.id) and not asks_for_sso(realm, person):
        sessions.make_fresh(realm.work, realm, person.session_key, person.id)
    sessions.end_sessions_of(realm.work, realm, account.id, "password_changed", except_key=person.session_key)
    end_links(realm.work, realm, account, "password")
    emails.send_password_changed(realm, account)
    record_access(AccessKind.PASSWORD_CHANGED, person=account)
    note_login_act(realm, "password.changed", account, how="profile")


def replace_password(realm: Realm, account: Account, password: str) -> None:
    """A new password in the middle of a login, because the one just given no longer does. Raises WeakPassword."""
    if passwords.matches(account.password_hash, password):
        raise WeakPassword("This is your current password. Choose another one.")
    set_password(realm, account, password)
    sessions.end_sessions_of(realm.work, realm, account.id, "password_changed")
    end_links(realm.work, realm, account, "password")
    emails.send_password_changed(realm, account)
    record_access(AccessKind.PASSWORD_CHANGED, person=account)
    note_login_act(realm, "password.changed", account, how="login")


def set_password(realm: Realm, account: Account, password: str) -> None:
    """The one way to set a password, for pages, links and commands. Raises WeakPassword with the reason."""
    names = names_of(realm, account.name, account.email)
    problem = passwords.problem_with(password, context=names, policy=policy_to_judge_by(realm))
    if problem:
        raise WeakPassword(problem)
    account.password_hash = passwords.hash_password(password)
    account.password_changed_at = clock.now()


def change_profile(realm: Realm, person: Principal, *, name: str, time_zone: str, theme: str) -> None:
    account = account_for_change(realm.work, realm, person.id)
    before = {"name": account.name, "time_zone": account.time_zone, "theme": account.preferences.get("theme", "auto")}
    after = {"name": name, "time_zone": time_zone, "theme": theme}
    account.name = name
    account.time_zone = time_zone
    account.preferences = {**account.preferences, "theme": theme}
    changes = {field: [before[field], after[field]] for field in after if before[field] != after[field]}
    if changes:
        note_login_act(realm, "profile.changed", account, changes=changes)
    session_invalidation.invalidate_after_commit(realm.work, realm, [account.id])


def invite_user(email: str, name: str, roles: Sequence[str], *, invited_by: str = "") -> str:
    """Add a login to the tenant entered and mail the invitation; returns the link.

    Raises AlreadyThere, BeyondOwnRights, NoSuchRole, NoSeatLeft.
    """
    may_give(roles)
    return _invite(tenant_realm(), email, name, roles, invited_by)


def invite_staff(email: str, name: str, role: str, *, invited_by: str = "") -> str:
    """The same for the platform's staff, inside `control_transaction()`."""
    return _invite(staff_realm(), email, name, [StaffRole(role).value], invited_by)


def resend_invitation(user_id: UUID, *, invited_by: str) -> User:
    """Mail a new link; the one before ends. Raises AlreadyThere, BeyondOwnRights."""
    realm = tenant_realm()
    user = account_for_change(realm.work, realm, user_id)
    if user.state != "invited":
        raise AlreadyThere(f"{user.name} has already accepted.")
    assert isinstance(user, User)
    # A link to a login is as good as the login: whoever may do more is not invited anew by somebody who may not.
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
    note_login_act(
        realm, "user.roles_changed", user, changes={"roles": [words_for(before, names), words_for(wanted, names)]}
    )
    session_invalidation.invalidate_after_commit(realm.work, realm, [user.id])
    return user


def disable_user(user_id: UUID) -> User:
    """Nobody logs in with this any more; what was logged in is out at the next request. Raises LastAdministrator."""
    user, administrators = _user_beside_administrators(user_id)
    _keep_an_administrator(user, administrators)
    may_act_on(user)
    realm = tenant_realm()
    user.state = "disabled"
    user.epoch += 1
    end_links(realm.work, realm, user)
    sessions.end_sessions_of(realm.work, realm, user.id, "disabled")
    note_login_act(realm, "user.disabled", user)
    return user


def enable_user(user_id: UUID) -> User:
    """Let a disabled user log in again, or have an invited one wait as before. Raises NoSeatLeft."""
    user, _ = _user_beside_administrators(user_id)
    may_act_on(user)
    if user.state == "disabled":
        take_seat()
        user.state = "active" if user.password_hash else "invited"
        note_login_act(tenant_realm(), "user.enabled", user)
    return user


def _refuse_where_sso_confirms(realm: Realm, person: Principal) -> None:
    if asks_for_sso(realm, person):
        raise SsoOnly


def _account_with_password(realm: Realm, person: Principal, password: str) -> Account:
    give_back = throttles.try_confirmation(realm, person.id.hex)
    account = account_for_change(realm.work, realm, person.id)
    if not passwords.matches(account.password_hash, password):
        record_event("login_failed", account=account.email_key)
        record_access(AccessKind.CONFIRMED, "failed", person=account)
        note_failed_login(realm, account, "confirmation")
        raise WrongPassword
    give_back()
    return account


def _look_up(realm: Realm, name: str) -> tuple[Account | None, bool, Policy]:
    # In a transaction of its own: no connection is held while the password is hashed.
    with realm.own_work() as work:
        policy = policy_of(realm)
        # Before the password is looked at: from outside nobody learns whether one is right.
        require_inside(realm, account=name)
        require_way(realm, "password", account=name)
        account = account_named(work, realm, name)
        is_known = account is not None and remember_me.remembers(work, realm, account.id)
        return account, is_known, policy


def _welcome(realm: Realm, account_id: UUID, password: str, known: tuple[Policy, str], **more: Any) -> str:
    account = account_for_change(realm.work, realm, account_id)
    if account.state in _NOT_OPEN:
        raise WrongPassword
    if account.password_hash and passwords.is_outdated(account.password_hash):
        account.password_hash = passwords.hash_password(password)
    return admit(realm, account, "password", problem=judge(realm, account, password, known), **more)


def _user_beside_administrators(user_id: UUID) -> tuple[User, list[User]]:
    # The administrators first and in one order, whoever is changed: so two requests wait and don't deadlock.
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
    realm.give_roles(account, roles)
    realm.work.flush()
    return _send_invitation(realm, account, invited_by)


def _send_invitation(realm: Realm, account: Account, invited_by: str) -> str:
    url = make_link(realm.work, realm, account, "invitation", clock.INVITATION)
    emails.send_invitation(realm, account, url, invited_by=invited_by)
    note_login_act(realm, "user.invited", account)
    return url
