"""The code behind glass: lets an administrator in from anywhere by password, once.

For the day the list of networks is wrong, or the identity provider away where single sign-on is the only way.
"""

from __future__ import annotations

import logging

from sqlalchemy import update

from qikbiz.audit.actions import record
from qikbiz.identity.accounts import emails, throttles
from qikbiz.identity.accounts.audit_events import record_login_event
from qikbiz.identity.accounts.failures import WrongPassword
from qikbiz.identity.accounts.models import User
from qikbiz.identity.accounts.principal import Principal
from qikbiz.identity.accounts.queries import account_named, lock_administrators
from qikbiz.identity.accounts.realms import Realm, same_address
from qikbiz.identity.login.login_steps import admit
from qikbiz.identity.mfa.recovery import hash_of, new_code
from qikbiz.identity.passwords import hashing
from qikbiz.identity.passwords.password_verdicts import evaluate
from qikbiz.identity.sign_in_policy.models import SignInPolicy
from qikbiz.identity.sign_in_policy.queries import policy_row
from qikbiz.kernel import clock
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import Conflict
from qikbiz.kernel.permissions import Role
from qikbiz.security.access_log.kinds import AccessKind
from qikbiz.security.access_log.recorder import record_access
from qikbiz.security.ip_reputation.events import begin_sign_in_try, record_event
from tenants.context import current_tenant

_GROUPS = 5
logger = logging.getLogger(__name__)


def make_code(person: Principal) -> str:
    """A new code, to be shown once; the one before no longer works. Raises Conflict where it would break nothing."""
    row = policy_row(for_change=True)
    if not keeps_people_out(row):
        raise Conflict("The policy restricts neither networks nor methods, so no emergency code is needed.")
    assert row is not None
    code = new_code(_GROUPS)
    row.break_glass = hash_of(code, current_tenant().id)
    row.break_glass_made_at, row.break_glass_made_by = clock.now(), person.id
    record("policy.break_glass_made", subject="Emergency code")
    return code


def keeps_people_out(row: SignInPolicy | None) -> bool:
    """Whether a user with the right password may be refused, so that an emergency code is needed."""
    return row is not None and bool(row.networks or row.sso_only)


def break_glass(realm: Realm, email: str, password: str, code: str) -> str:
    """Log an administrator in from anywhere; returns the path to go to. Raises WrongPassword or TooMany.

    Which of the three was wrong is not said. A code is used up even if the second factor then fails.
    """
    throttles.try_break_glass(realm)
    counted, undo = begin_sign_in_try()
    with realm.own_work() as work:
        found = account_named(work, realm, same_address(email))
        hashed = found.password_hash if found is not None and found.state == "active" else None
    is_right = hashing.matches(hashed, password)
    account = account_named(realm.work, realm, same_address(email))
    if not is_right or not isinstance(account, User) or not _may(account) or not _use(code):
        record_event("login_failed", account=email, counted=counted, is_sign_in=True)
        record_access(AccessKind.LOGIN, "failed", account=email, detail="With an emergency code")
        raise WrongPassword
    undo()
    record_login_event(realm, "policy.break_glass_used", account)
    for administrator in lock_administrators():
        emails.send_break_glass_used(realm, administrator, who=account.name, email=account.email)
    logger.warning("break_glass_used", extra={"person": str(account.id)})
    problem = evaluate(realm, account, password)
    return admit(realm, account, "break_glass", from_anywhere=True, problem=problem)


def _may(account: User) -> bool:
    return account.state == "active" and Role.ADMINISTRATOR in account.roles


def _use(code: str) -> bool:
    handle = hash_of(code, current_tenant().id)
    used = update(SignInPolicy).where(SignInPolicy.break_glass == handle).values(break_glass=None)
    return db.session.scalar(used.returning(SignInPolicy.id)) is not None
