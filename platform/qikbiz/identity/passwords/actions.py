"""Setting a password."""

from __future__ import annotations

from qikbiz.identity.accounts.failures import WeakPassword
from qikbiz.identity.accounts.realms import Account, Realm, names_of
from qikbiz.identity.passwords import acceptance, hashing
from qikbiz.identity.sign_in_policy.queries import policy_to_judge_by
from qikbiz.kernel import clock


def set_password(realm: Realm, account: Account, password: str) -> None:
    """The one way to set a password, for pages, links and commands. Raises WeakPassword with the reason."""
    names = names_of(realm, account.name, account.email)
    problem = acceptance.problem_with(password, context=names, policy=policy_to_judge_by(realm))
    if problem:
        raise WeakPassword(problem)
    account.password_hash = hashing.hash_password(password)
    account.password_changed_at = clock.now()
