"""Changing the policy: checked against the floor, felt at once by what is signed in, written down old → new."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from qikbiz.audit.actions import record
from qikbiz.identity.accounts import session_invalidation
from qikbiz.identity.accounts.models import RememberSeries, User, UserSession
from qikbiz.identity.accounts.principal import Principal
from qikbiz.identity.accounts.realms import Realm
from qikbiz.identity.sessions import sessions
from qikbiz.identity.sign_in_policy.models import ONLY, SignInPolicy
from qikbiz.identity.sign_in_policy.networks import OutsideNetworks, address_of_request, is_inside
from qikbiz.identity.sign_in_policy.queries import policy_in
from qikbiz.identity.sign_in_policy.rules import Policy
from qikbiz.identity.sign_in_policy.sso_only import began_otherwise
from qikbiz.identity.sign_in_policy_pages.lockout import refuse_locking_everybody_out
from qikbiz.kernel import clock
from qikbiz.kernel.database import db

_NOT_SHOWN = ("stricter_at",)


def change_policy(realm: Realm, person: Principal, wanted: Policy) -> dict[str, list[object]]:
    """Put `wanted` in force and return what changed, old → new.

    Raises BelowTheFloor, OutsideNetworks and WouldLockOut.
    """
    refuse_locking_oneself_out(wanted)
    wanted.check()
    row = _row()
    before = policy_in(row)
    if wanted.sso_only and not before.sso_only:
        refuse_locking_everybody_out(realm, person, for_change=True)
    is_stricter = wanted.least_characters > before.least_characters or (
        wanted.asks_range_service and not before.asks_range_service
    )
    since = None if wanted.is_floor_for_passwords else before.stricter_at
    wanted = replace(wanted, stricter_at=clock.now() if is_stricter else since)
    for name, value in asdict(wanted).items():
        setattr(row, name, list(value) if isinstance(value, tuple) else value)
    changes = changes_between(before, wanted)
    if changes:
        row.changed_at = clock.now()
        db.session.flush()
        _hold_sessions_to(wanted)
        _hold_devices_to(wanted)
        if wanted.sso_only and not before.sso_only:
            sessions.end_sessions_where(realm.work, realm, "single_sign_on_only", began_otherwise())
        session_invalidation.invalidate_after_commit(realm.work, realm, _people_who_may_be_logged_in())
        record("policy.changed", subject="Sign-in policy", details={"changes": changes})
    return changes


def refuse_locking_oneself_out(wanted: Policy) -> None:
    """Raises OutsideNetworks when the administrator who saves this could not sign in again from where they are."""
    address = address_of_request()
    if not is_inside(address, wanted.networks):
        raise OutsideNetworks(
            f"Your address {address} is in none of these networks, so this would lock you out. Add it, or save from "
            "an allowed network."
        )


def changes_between(before: Policy, after: Policy) -> dict[str, list[object]]:
    """{name: [old, new]} as the audit has it."""
    old, new = asdict(before), asdict(after)
    return {
        name: [_plain(old[name]), _plain(new[name])]
        for name in old
        if name not in _NOT_SHOWN and old[name] != new[name]
    }


def _row() -> SignInPolicy:
    """The one row, locked; made of the floor, which is also the database's default, when there is none."""
    # Administrators who save at once come one after the other, and so do those who judge a password meanwhile: the
    # table and not the row, which is not there before the first policy.
    db.session.execute(text("LOCK TABLE sign_in_policy IN EXCLUSIVE MODE"))
    db.session.execute(insert(SignInPolicy).values(id=ONLY).on_conflict_do_nothing())
    wanted = select(SignInPolicy).where(SignInPolicy.id == ONLY)
    return db.session.scalars(wanted.execution_options(populate_existing=True)).one()


def _hold_sessions_to(policy: Policy) -> None:
    ends = UserSession.created_at + policy.absolute
    idle = UserSession.last_seen_at + policy.idle
    db.session.execute(
        update(UserSession)
        .where(UserSession.revoked_at.is_(None))
        .values(ends_at=func.least(UserSession.ends_at, ends), idle_until=func.least(UserSession.idle_until, idle))
        .execution_options(synchronize_session=False)
    )


def _hold_devices_to(policy: Policy) -> None:
    live = update(RememberSeries).where(RememberSeries.revoked_at.is_(None))
    if policy.may_remember and not policy.sso_only:
        ends = RememberSeries.rotated_at + policy.remember
        live = live.values(expires_at=func.least(RememberSeries.expires_at, ends))
    else:
        live = live.values(revoked_at=clock.now(), revoked_reason="policy")
    db.session.execute(live.execution_options(synchronize_session=False))


def _people_who_may_be_logged_in() -> Iterable[UUID]:
    # All of them and not only those whose sessions are seen: one may be signing in at this very moment.
    return list(db.session.scalars(select(User.id).where(User.state != "disabled")))


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value
