"""“Stay signed in on this device”: a series with a one-time token.

Each use of the token replaces it. The one before is still good for a minute, for tabs of the same browser that were
opened together, and for longer only if the browser never showed the new one, since then the answer that carried it was
lost. Any other old token means that two hold the series, and one of them is a thief: everything of this person ends.
"""

from __future__ import annotations

import logging
import secrets
from datetime import datetime, timedelta
from hmac import compare_digest
from uuid import UUID

from flask import request
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from qikbiz.identity.accounts import lifetimes
from qikbiz.identity.accounts.devices import is_new_device, place_of_request
from qikbiz.identity.accounts.emails import send_new_device, send_theft_detected, words_for_moment
from qikbiz.identity.accounts.models import RememberSeries, User
from qikbiz.identity.accounts.principal import Principal
from qikbiz.identity.accounts.queries import has_second_factor
from qikbiz.identity.accounts.realms import Realm
from qikbiz.identity.sessions import sessions
from qikbiz.identity.sessions.why_ended import THEFT, say_stolen
from qikbiz.identity.sign_in_policy.networks import address_of_request, is_inside
from qikbiz.identity.sign_in_policy.queries import needs_factor, policy_of
from qikbiz.identity.sign_in_policy.rules import is_password_in_doubt
from qikbiz.kernel import clock
from qikbiz.security.access_log.kinds import AccessKind
from qikbiz.security.access_log.recorder import record_access
from qikbiz.security.ip_reputation.events import record_event
from qikbiz.web.cookies import REMEMBER, broken_cookies, delete_cookie, open_cookie, set_cookie
from qikbiz.web.flash import has_waiting_toasts, show_toast
from qikbiz.web.metrics import count_login
from qikbiz.web.user_agents import device_of_request
from qikbiz.web.visit_cookie import end_session_cookie

_SERIES, _TOKEN = "remember-series", "remember-token"
_SERIES_BYTES, _TOKEN_BYTES, _EPOCH_BYTES = 16, 32, 8
_COPIED = (
    "The sign-in remembered on this device was used a second time{before}. It may have been copied, so we signed you "
    "out everywhere. If you can't explain it, choose a new password."
)
logger = logging.getLogger(__name__)


def remember_device(work: Session, realm: Realm, user: User) -> bytes:
    """Start a series on this device and return its hash; the response carries the cookie."""
    series, token, moment = secrets.token_bytes(_SERIES_BYTES), secrets.token_bytes(_TOKEN_BYTES), clock.now()
    life = policy_of(realm).remember
    row = RememberSeries(
        series_hash=realm.mac(_SERIES, series),
        user_id=user.id,
        token_hash=realm.mac(_TOKEN, token),
        is_seen=True,
        rotated_at=moment,
        created_at=moment,
        expires_at=moment + life,
        ends_at=moment + lifetimes.REMEMBER_AT_MOST,
        device=device_of_request(),
        address_prefix=place_of_request(),
        agent_mac=_agent(realm),
    )
    work.add(row)
    work.flush()
    _hand_out(realm, series, token, life)
    return row.series_hash


def restore(realm: Realm) -> Principal | None:
    """Sign in the user whom this device remembers, with a new session that is not fresh."""
    shown = _shown(realm)
    if shown is None:
        if REMEMBER.name in broken_cookies():
            delete_cookie(REMEMBER)
        return None
    series, token = shown
    with realm.own_work() as work:
        row = _series(work, realm, series)
        user = work.get(User, row.user_id) if row else None
        if row is None or user is None or not _is_good(row, user) or not _may_restore(realm, user):
            delete_cookie(REMEMBER)
            if row is not None and row.revoked_reason == THEFT and row.revoked_at and not has_waiting_toasts():
                say_stolen(work, realm, row.user_id, row.revoked_at)
            return None
        if not is_inside(address_of_request(), policy_of(realm).networks):
            # The device stays remembered for the day it is back inside; the login page says why not now.
            return None
        if user.password_hash and is_password_in_doubt(user, policy_of(realm)):
            # Whether the password meets the rules can be seen only when it is given: the login page asks for it.
            return None
        if not _accept(realm, row, series, token):
            _end_everything(work, realm, user, row)
            return None
        count_login(realm.kind, "remembered")
        _say_if_new(work, realm, user)
        record_access(AccessKind.REMEMBERED, person=user)
        return sessions.open_session(work, realm, user, "remembered", is_fresh=False, series_hash=row.series_hash)


def confirm_shown_token(realm: Realm, person_id: UUID) -> bool:
    """The browser has shown its newest token, so the answer that carried it arrived. True when that was news."""
    shown = _shown(realm)
    if shown is None:
        return False
    series, token = shown
    statement = (
        update(RememberSeries)
        .where(
            RememberSeries.series_hash.in_(realm.macs(_SERIES, series)),
            RememberSeries.token_hash.in_(realm.macs(_TOKEN, token)),
            RememberSeries.user_id == person_id,
            RememberSeries.is_seen.is_(False),
        )
        .values(is_seen=True)
        .returning(RememberSeries.series_hash)
    )
    with realm.own_work() as work:
        return work.scalar(statement) is not None


def forget_device(work: Session, realm: Realm, reason: str = "logout") -> None:
    """End the series whose cookie this browser holds, and have the cookie deleted."""
    shown = _shown(realm) if realm.tenant else None
    if shown is not None:
        work.execute(
            update(RememberSeries)
            .where(RememberSeries.series_hash.in_(realm.macs(_SERIES, shown[0])), RememberSeries.revoked_at.is_(None))
            .values(revoked_at=clock.now(), revoked_reason=reason)
        )
    delete_cookie(REMEMBER)


def remembers(work: Session, realm: Realm, user_id: UUID) -> bool:
    """Whether this browser is a device that this person has chosen to be remembered on."""
    shown = _shown(realm) if realm.tenant else None
    if shown is None:
        return False
    row = _series(work, realm, shown[0])
    return row is not None and row.user_id == user_id and row.revoked_at is None


def _shown(realm: Realm) -> tuple[bytes, bytes] | None:
    """Series and token of the cookie, if it was set under the tenant's present epoch."""
    opened = open_cookie(REMEMBER)
    if opened is None or len(opened.plaintext) != _SERIES_BYTES + _TOKEN_BYTES + _EPOCH_BYTES:
        return None
    series, rest = opened.plaintext[:_SERIES_BYTES], opened.plaintext[_SERIES_BYTES:]
    token, epoch = rest[:_TOKEN_BYTES], rest[_TOKEN_BYTES:]
    return (series, token) if epoch == _epoch(realm) else None


def _hand_out(realm: Realm, series: bytes, token: bytes, life: timedelta) -> None:
    # The epoch lies in the cookie: raising it must end remembered devices too, and they know nothing of sessions.
    set_cookie(REMEMBER, series + token + _epoch(realm), life=life)


def _epoch(realm: Realm) -> bytes:
    return realm.epoch.to_bytes(_EPOCH_BYTES, "big")


def _series(work: Session, realm: Realm, series: bytes) -> RememberSeries | None:
    # Locked, so that twenty tabs come one after the other and only the first rotates.
    statement = select(RememberSeries).where(RememberSeries.series_hash.in_(realm.macs(_SERIES, series)))
    return work.scalars(statement.with_for_update()).one_or_none()


def _is_good(row: RememberSeries, user: User) -> bool:
    moment = clock.now()
    return row.revoked_at is None and moment < min(row.expires_at, row.ends_at) and user.state == "active"


def _may_restore(realm: Realm, user: User) -> bool:
    """Whether the policy lets devices be remembered, and asks nothing of this person that they have not set up."""
    lacks_factor = needs_factor(realm, user) and not has_second_factor(realm, user.id)
    policy = policy_of(realm)
    return policy.may_remember and not policy.sso_only and not lacks_factor


def _accept(realm: Realm, row: RememberSeries, series: bytes, token: bytes) -> bool:
    """Whether the token is the current one or one of the two excused old ones; rotates when it should."""
    moment, given = clock.now(), realm.macs(_TOKEN, token)
    if _is_one_of(row.token_hash, given):
        row.previous_hash = row.token_hash
        _rotate(realm, row, series, moment)
        return True
    if row.previous_hash is None or not _is_one_of(row.previous_hash, given):
        return False
    if row.agent_mac is not None and not compare_digest(row.agent_mac, _agent(realm)):
        # Both excuses are those of the browser that was sent the new token. No other one has the old one honestly.
        return False
    if moment - row.rotated_at <= lifetimes.REMEMBER_GRACE:
        return True
    if row.is_seen:
        return False
    _rotate(realm, row, series, moment)
    return True


def _rotate(realm: Realm, row: RememberSeries, series: bytes, moment: datetime) -> None:
    token = secrets.token_bytes(_TOKEN_BYTES)
    row.token_hash = realm.mac(_TOKEN, token)
    row.is_seen = False
    row.rotated_at, row.agent_mac = moment, _agent(realm)
    row.expires_at = min(moment + policy_of(realm).remember, row.ends_at)
    _hand_out(realm, series, token, row.expires_at - moment)


def _say_if_new(work: Session, realm: Realm, user: User) -> None:
    """A mail, as at every other login, when this browser or this part of the net was never seen with this person."""
    if is_new_device(work, realm, user, roams=True):
        send_new_device(realm, user, device_of_request(), place_of_request(), is_return=True)


def _end_everything(work: Session, realm: Realm, user: User, row: RememberSeries) -> None:
    user.epoch += 1
    before = _last_use(work, realm, row)
    sessions.end_sessions_of(work, realm, user.id, THEFT)
    here, first = (device_of_request(), place_of_request()), (row.device, row.address_prefix)
    send_theft_detected(realm, user, clock.now(), used_now=here, used_before=before, remembered_as=first)
    count_login(realm.kind, "theft")
    record_event("remember_reuse", account=user.email_key)
    record_access(AccessKind.REMEMBERED, "refused", person=user, detail="Its token was used twice; all sessions ended")
    logger.warning("authn_token_reuse", extra={"person": str(user.id)})
    delete_cookie(REMEMBER)
    end_session_cookie()
    show_toast(_COPIED.format(before=f" (before that by {before})" if before else ""), kind="failed")


def _last_use(work: Session, realm: Realm, row: RememberSeries) -> str:
    """When, by what and from where the device signed in last: that may be the thief, who was quicker. "" if unknown."""
    table = realm.sessions
    its = select(table.created_at, table.device, table.address_prefix).where(table.series_hash == row.series_hash)
    found = work.execute(its.order_by(table.created_at.desc()).limit(1)).one_or_none()
    if found is None:
        return ""
    at, device, prefix = found
    return f"{device} from {prefix}, {words_for_moment(realm, work.get_one(User, row.user_id), at)}"


def _agent(realm: Realm) -> bytes:
    """What the browser calls itself, as a keyed hash."""
    return realm.mac("remember-agent", request.headers.get("User-Agent", "").encode("utf-8", "replace"))[:16]


def _is_one_of(stored: bytes, given: tuple[bytes, ...]) -> bool:
    return any([compare_digest(stored, mac) for mac in given])
