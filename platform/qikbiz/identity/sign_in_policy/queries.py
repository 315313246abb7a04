"""Reading the policy in force, and what a change of it would meet."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, false, func, or_, select

from qikbiz.identity.accounts.models import RememberSeries, User, UserFactor, UserSession
from qikbiz.identity.accounts.principal import Principal
from qikbiz.identity.accounts.realms import Account, Realm
from qikbiz.identity.sign_in_policy.models import ONLY, SignInPolicy
from qikbiz.identity.sign_in_policy.rules import FLOOR, STAFF, Policy, WhoNeedsFactor
from qikbiz.kernel.clock import now
from qikbiz.kernel.database import db


def policy_of(realm: Realm) -> Policy:
    """What is asked of logins in this realm."""
    if realm.tenant is None:
        return STAFF
    row = realm.work.get(SignInPolicy, ONLY)
    return policy_in(row) if row else FLOOR


def policy_to_judge_by(realm: Realm) -> Policy:
    """What is asked of logins in this realm now, and stays so until the end of the transaction.

    A verdict on a password has a date: by rules that changed beside it, it would count as one by the new rules.
    """
    if realm.tenant is None:
        return STAFF
    # A change of the policy waits for this lock on the table, which is there before the first policy too.
    row = realm.work.get(SignInPolicy, ONLY, with_for_update={"read": True}, populate_existing=True)
    return policy_in(row) if row else FLOOR


def policy_in(row: SignInPolicy) -> Policy:
    return Policy(
        least_characters=row.least_characters,
        asks_range_service=row.asks_range_service,
        factor_for=cast(WhoNeedsFactor, row.factor_for),
        factor_roles=tuple(row.factor_roles),
        idle_minutes=row.idle_minutes,
        absolute_hours=row.absolute_hours,
        remember_days=row.remember_days,
        networks=tuple(row.networks),
        sso_only=row.sso_only,
        stricter_at=row.stricter_at,
    )


def needs_factor(realm: Realm, who: Account | Principal) -> bool:
    """Whether this person must have a second factor."""
    roles = who.roles if isinstance(who, Principal) else who.role_keys()
    return policy_of(realm).requires_factor(roles)


def policy_row(*, for_change: bool = False) -> SignInPolicy | None:
    return db.session.get(SignInPolicy, ONLY, with_for_update=for_change or None)


def count_without_factor(policy: Policy) -> int:
    """Active users of whom `policy` asks a second factor that they don't have."""
    lacking = people_without_factor(policy).subquery()
    return int(db.session.scalar(select(func.count()).select_from(lacking)) or 0)


def people_without_factor(policy: Policy) -> Select[UUID]:
    """Their ids."""
    has_one = exists().where(UserFactor.person_id == User.id, UserFactor.kind != "recovery")
    wanted = select(User.id).where(User.state == "active", ~has_one)
    if policy.factor_for == "roles":
        return wanted.where(or_(*(User.roles.contains([role]) for role in policy.factor_roles)))
    return wanted if policy.factor_for == "everyone" else wanted.where(false())


def count_with_password(*conditions: ColumnElement[bool]) -> int:
    """Active users who have a password, and of whom this is true."""
    known = (User.state == "active", User.password_hash.is_not(None))
    return int(db.session.scalar(select(func.count()).select_from(User).where(*known, *conditions)) or 0)


def has_passkey() -> ColumnElement[bool]:
    """Of users: whether they can sign in without a password."""
    return exists().where(UserFactor.person_id == User.id, UserFactor.kind == "passkey")


def count_sessions(*conditions: ColumnElement[bool]) -> int:
    """Sessions in force of which this is true."""
    live = (UserSession.revoked_at.is_(None), UserSession.ends_at > now(), UserSession.idle_until > now())
    return int(db.session.scalar(select(func.count()).select_from(UserSession).where(*live, *conditions)) or 0)


def count_remembered(*conditions: ColumnElement[bool]) -> int:
    """Remembered devices of which this is true."""
    live = (RememberSeries.revoked_at.is_(None), RememberSeries.expires_at > now(), RememberSeries.ends_at > now())
    return int(db.session.scalar(select(func.count()).select_from(RememberSeries).where(*live, *conditions)) or 0)
