"""Reading the policy in force."""

from __future__ import annotations

from qikbiz.accounts.models import User
from qikbiz.accounts.people import Person
from qikbiz.accounts.realms import Account, Realm
from qikbiz.policy.rules import FLOOR, STAFF, Policy


def policy_of(realm: Realm) -> Policy:
    """What is asked of logins in this realm."""
    return FLOOR if realm.tenant else STAFF


def needs_factor(realm: Realm, who: Account | Person) -> bool:
    """Whether this person must have a second factor."""
    roles = who.roles if isinstance(who, User | Person) else (who.role,)
    return policy_of(realm).requires_factor(roles)
