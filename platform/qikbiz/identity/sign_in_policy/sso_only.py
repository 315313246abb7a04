"""“By single sign-on only”: which sessions may begin and go on all the same."""

from __future__ import annotations

from sqlalchemy import ColumnElement, func, select

from qikbiz.identity.accounts.models import UserSession
from qikbiz.identity.accounts.principal import Principal
from qikbiz.identity.accounts.realms import Account, Realm
from qikbiz.identity.sign_in_policy.models import ONLY, SignInPolicy
from qikbiz.identity.sign_in_policy.queries import policy_of
from qikbiz.kernel.errors import Forbidden
from qikbiz.security.access_log.kinds import AccessKind
from qikbiz.security.access_log.recorder import record_access

# How a session may have begun, by the first word of its method.
BY_SSO, BEHIND_GLASS = "sso", "break_glass"


class SsoOnly(Forbidden):
    """The organisation lets people sign in only through its identity provider, and this was another way."""

    key = "sso_only"


def way_of(method: str) -> str:
    """How a login began: `sso+app` began by single sign-on."""
    return method.partition("+")[0]


def is_open_to(realm: Realm, method: str) -> bool:
    """Whether a user who began a session like this may be here."""
    return way_of(method) in (BY_SSO, BEHIND_GLASS) or not policy_of(realm).sso_only


def require_way(realm: Realm, method: str, *, account: str = "", person: Account | None = None) -> None:
    """Raises SsoOnly, before anything that was given is looked at."""
    if is_open_to(realm, method):
        return
    record_access(AccessKind.LOGIN, "refused", person=person, account=account, detail="Only single sign-on is allowed")
    raise SsoOnly


def session_way(realm: Realm, person: Principal) -> str:
    """How the current session began; "" for staff and for one that has ended."""
    row = realm.work.get(realm.sessions, person.session_key)
    return way_of(row.method) if row is not None else ""


def asks_for_sso(realm: Realm, person: Principal) -> bool:
    """Whether confirming that it is them goes through the provider alone."""
    return policy_of(realm).sso_only and session_way(realm, person) != BEHIND_GLASS


def is_only_way_now(realm: Realm) -> bool:
    """Asked of the database itself, after the provider's row was locked."""
    return bool(realm.work.scalar(select(SignInPolicy.sso_only).where(SignInPolicy.id == ONLY)))


def began_otherwise() -> ColumnElement[bool]:
    """Of sessions in force: not by the provider, and not by a break-glass code."""
    way = func.split_part(UserSession.method, "+", 1)
    return way.not_in((BY_SSO, BEHIND_GLASS)) & UserSession.revoked_at.is_(None)
