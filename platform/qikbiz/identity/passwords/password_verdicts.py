"""Whether a right password still does: the one verdict for a login, a break-glass code, and confirming.

A password is judged when it is chosen. Rules that became stricter since can be asked only when it is given again, since
only its hash is kept.
"""

from __future__ import annotations

from qikbiz.identity.accounts.realms import Account, Realm, names_of
from qikbiz.identity.passwords import acceptance
from qikbiz.identity.sign_in_policy.queries import policy_to_judge_by
from qikbiz.identity.sign_in_policy.rules import Policy, is_password_in_doubt
from qikbiz.kernel import clock


def problem_since(realm: Realm, account: Account, password: str, policy: Policy) -> str:
    """Why a right password no longer does: the rules became stricter after it was chosen. "" when it does."""
    if not is_password_in_doubt(account, policy):
        return ""
    names = names_of(realm, account.name, account.email)
    return acceptance.problem_with(password, context=names, policy=policy) or ""


def evaluate(realm: Realm, account: Account, password: str, known: tuple[Policy, str] | None = None) -> str:
    """The same by the rules in force, and written down where it does, so that it is no longer in doubt.

    `known` is a problem, or none, that was found before this transaction, with the policy that it was found by.
    """
    policy = policy_to_judge_by(realm)
    is_known = known is not None and known[0] == policy
    problem = known[1] if known and is_known else problem_since(realm, account, password, policy)
    if not problem and is_password_in_doubt(account, policy):
        account.password_judged_at = clock.now()
    return problem
