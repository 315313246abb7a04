"""Signing in with name and password, and signing out."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from qikbiz.identity.accounts import throttles
from qikbiz.identity.accounts.audit_events import record_failed_login, record_login_event
from qikbiz.identity.accounts.failures import WrongPassword
from qikbiz.identity.accounts.principal import Principal
from qikbiz.identity.accounts.queries import account_for_change, account_named
from qikbiz.identity.accounts.realms import Account, Realm, same_address
from qikbiz.identity.login.login_steps import admit
from qikbiz.identity.passwords import hashing
from qikbiz.identity.passwords.password_verdicts import evaluate, problem_since
from qikbiz.identity.sessions import remember_me, sessions
from qikbiz.identity.sign_in_policy.networks import require_inside
from qikbiz.identity.sign_in_policy.queries import policy_of
from qikbiz.identity.sign_in_policy.rules import Policy
from qikbiz.identity.sign_in_policy.sso_only import require_way
from qikbiz.kernel.errors import TooMany
from qikbiz.security.access_log.kinds import AccessKind
from qikbiz.security.access_log.recorder import record_access
from qikbiz.security.ip_reputation.events import begin_sign_in_try, record_event
from qikbiz.web.metrics import count_login

_NOT_OPEN = ("invited", "disabled")


def log_in(realm: Realm, email: str, password: str, *, remember: bool, target: str = "/") -> str:
    """Sign in with name and password; returns the path to go to, where a second factor may be asked for.

    Raises WrongPassword or TooMany; both look the same for names nobody has.
    """
    name = same_address(email)
    account, is_known_device, policy = _look_up(realm, name)
    try:
        attempt = throttles.try_login(realm, name, is_known_device=is_known_device)
    except TooMany:
        record_access(AccessKind.LOGIN, "refused", person=account, account=name, detail="Too many attempts")
        raise
    counted, undo = begin_sign_in_try()
    is_open = account is not None and account.state not in _NOT_OPEN
    if not hashing.matches(account.password_hash if account and is_open else None, password) or account is None:
        record_event("login_failed" if account else "login_unknown", account=name, counted=counted, is_sign_in=True)
        record_access(AccessKind.LOGIN, "failed", person=account, account=name)
        record_failed_login(realm, account, "password")
        count_login(realm.kind, "wrong")
        raise WrongPassword
    attempt.give_back()
    undo()
    record_event("login_succeeded", account=name)
    count_login(realm.kind, "right")
    known = policy, problem_since(realm, account, password, policy)
    return _welcome(realm, account.id, password, known, remember=remember, target=target, is_hot=attempt.is_hot)


def log_out(realm: Realm, person: Principal) -> None:
    """End this session and, on this device, the remembering."""
    sessions.end_session(realm.work, realm, person.session_key, "logout")
    remember_me.forget_device(realm.work, realm)
    record_access(AccessKind.LOGOUT, person=person)
    record_login_event(realm, "login.ended", person)


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
    if account.password_hash and hashing.is_outdated(account.password_hash):
        account.password_hash = hashing.hash_password(password)
    return admit(realm, account, "password", problem=evaluate(realm, account, password, known), **more)
