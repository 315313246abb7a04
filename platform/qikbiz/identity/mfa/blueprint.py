"""The templates of second factors, and what they may ask for. Users' and staff's own pages show them."""

from flask import Blueprint

from qikbiz.identity.accounts.realms import current_realm
from qikbiz.identity.sign_in_policy.queries import policy_of

factors = Blueprint("factors", __name__, template_folder="templates")


@factors.app_template_global("shortest_password")
def shortest_password() -> int:
    """How many characters a new password needs where this page is."""
    return policy_of(current_realm()).least_characters


@factors.app_template_global("remembered_days")
def remembered_days() -> int:
    """How long a device may stay signed in without use; 0 where none may."""
    policy = policy_of(current_realm())
    return 0 if policy.sso_only else policy.remember_days
