"""The check of a route's permission against the principal's rights, before the view runs."""

from __future__ import annotations

from qikbiz.identity.accounts.principal import CurrentUser, Principal
from qikbiz.identity.sign_in_policy.networks import address_of_request, is_inside, outside
from qikbiz.kernel.access import AccessRule
from qikbiz.kernel.errors import Forbidden
from qikbiz.security.access_log.kinds import AccessKind
from qikbiz.security.access_log.recorder import record_access


class LoginNeeded(Forbidden):
    """Nobody is signed in; pages send the visitor to the login page, fragments say so."""

    status, key = 401, "login_needed"


def refuse_nobody(rule: AccessRule, person: CurrentUser) -> None:
    if not rule.is_public and not person.is_authenticated:
        raise LoginNeeded


def check_permission(rule: AccessRule, person: CurrentUser) -> None:
    if not rule.is_public and not person.can(rule.permission):
        raise Forbidden


def refuse_from_outside(rule: AccessRule, person: CurrentUser) -> None:
    """Raises OutsideNetworks for a signed-in user who has left the networks of the organisation's list."""
    if rule.is_public or rule.from_anywhere or not isinstance(person, Principal) or not person.networks:
        return
    if not is_inside(address_of_request(), person.networks):
        record_access(
            AccessKind.NETWORK_REFUSED, "refused", person=person, detail="Signed in, then left the allowed networks"
        )
        raise outside()
