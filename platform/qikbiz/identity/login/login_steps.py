"""The last steps of every login, whatever it began with: what is still missing, and then the session."""

from __future__ import annotations

from flask_login import current_user

from qikbiz.identity.accounts import emails
from qikbiz.identity.accounts.audit_events import record_login_event
from qikbiz.identity.accounts.devices import is_new_device, place_of_request
from qikbiz.identity.accounts.failures import PendingLoginEnded
from qikbiz.identity.accounts.models import User
from qikbiz.identity.accounts.queries import has_second_factor
from qikbiz.identity.accounts.realms import Account, Realm, current_realm
from qikbiz.identity.login import pending_login
from qikbiz.identity.login.mailed_codes import mail_code
from qikbiz.identity.login.pending_login import PendingLogin, current_pending_login
from qikbiz.identity.mfa.challenges import spend
from qikbiz.identity.sessions import remember_me, sessions
from qikbiz.identity.sign_in_policy.networks import require_inside
from qikbiz.identity.sign_in_policy.queries import needs_factor, policy_of
from qikbiz.identity.sign_in_policy.sso_only import require_way
from qikbiz.security.access_log.kinds import AccessKind
from qikbiz.security.access_log.recorder import record_access
from qikbiz.web.cookies import HALF_LOGIN, delete_cookie
from qikbiz.web.user_agents import device_of_request

SHOW_FACTOR, NEW_PASSWORD, SET_UP_FACTOR = "/login/second-step", "/login/new-password", "/login/set-up"
SHOW_MAILED_CODE = "/login/mailed-code"

_METHODS = {
    "password": "password",
    "password_link": "emailed link",
    "invitation": "invitation",
    "app": "authenticator app",
    "passkey": "passkey",
    "recovery": "recovery code",
    "mailed": "emailed code",
    "remembered": "remembered device",
    "break_glass": "emergency code",
    "sso": "single sign-on",
    "mfa": "second factor there",
}
# Shown to the organisation's identity provider, which says so: it stands for one of ours.
SHOWN_THERE = "mfa"


def admit(
    realm: Realm,
    account: Account,
    method: str,
    *,
    remember: bool = False,
    target: str = "/",
    problem: str = "",
    from_anywhere: bool = False,
    shown: str = "",
    is_fresh: bool = True,
    is_hot: bool = False,
) -> str:
    """The password, or a link of ours, was shown: continue with what is missing, or open the session.

    Returns the path to go to. `problem` says why the password no longer does; `from_anywhere` spares the network;
    `shown` is a second factor shown already, and `is_fresh` says that all this was given just now. `is_hot`: others
    have tried this name so often that a code by mail is asked for, of a user without a second factor.
    Raises OutsideNetworks and SsoOnly.
    """
    realm.work.flush()
    require_way(realm, method, person=account)
    if not from_anywhere:
        require_inside(realm, person=account)
    mailed = "needed" if is_hot and not has_second_factor(realm, account.id) else ""
    if _missing(realm, account, problem=problem, shown=shown, mailed=mailed) is None:
        method = "+".join(filter(None, (method, shown)))
        open_session(realm, account, method, remember=remember, from_anywhere=from_anywhere, is_fresh=is_fresh)
        return target
    known = {"remember": remember, "target": target, "problem": problem, "from_anywhere": from_anywhere}
    half = pending_login.begin(account, method, **known, shown=shown, is_fresh=is_fresh, mailed=mailed)
    if mailed:
        mail_code(realm, account)
    return go_on(realm, account, half)


def go_on(realm: Realm, account: Account, half: PendingLogin) -> str:
    """The next step of a pending login; after the last one the session is open. Raises PendingLoginEnded."""
    realm.work.flush()
    step = step_of(realm, account, half)
    if step is not None:
        return step
    if not spend(realm, half.place, account.id):
        raise PendingLoginEnded
    delete_cookie(HALF_LOGIN)
    method = "+".join(filter(None, (half.method, "mailed" if half.mailed == "shown" else "", half.shown)))
    open_session(
        realm, account, method, remember=half.remember, from_anywhere=half.from_anywhere, is_fresh=half.is_fresh
    )
    return half.target


def step_of(realm: Realm, account: Account, half: PendingLogin) -> str | None:
    """The path of what is missing now."""
    return _missing(realm, account, problem=half.problem, shown=half.shown, mailed=half.mailed)


def pending_login_at(*steps: str) -> tuple[PendingLogin, Account]:
    """The pending login of this browser, if one of these steps is the one that is missing. Raises PendingLoginEnded."""
    realm = current_realm()
    half, account = current_pending_login(realm)
    if step_of(realm, account, half) not in steps:
        raise PendingLoginEnded
    return half, account


def open_session(
    realm: Realm,
    account: Account,
    method: str,
    *,
    remember: bool = False,
    from_anywhere: bool = False,
    is_fresh: bool = True,
) -> None:
    """Sign in on this device. A user who was signed in or remembered here before is not any more.

    Raises OutsideNetworks and SsoOnly.
    """
    require_way(realm, method, person=account)
    if not from_anywhere:
        require_inside(realm, person=account)
    work = realm.work
    if current_user.is_authenticated:
        sessions.end_session(work, realm, current_user.session_key, "new_login")
    is_new = is_new_device(work, realm, account) and not remember_me.remembers(work, realm, account.id)
    remember_me.forget_device(work, realm, "new_login")
    series = None
    if remember and isinstance(account, User) and policy_of(realm).may_remember:
        series = remember_me.remember_device(work, realm, account)
    sessions.open_session(
        work, realm, account, method, is_fresh=is_fresh, series_hash=series, from_anywhere=from_anywhere
    )
    if series or is_new:
        emails.send_new_device(realm, account, device_of_request(), place_of_request(), is_remembered=bool(series))
    record_access(AccessKind.LOGIN, person=account, detail=words_for_method(method))
    record_login_event(realm, "login.opened", account, method=method, remembered=bool(series))


def words_for_method(method: str) -> str:
    """How a user signed in, as lists say it: `password+app` is “Password and authenticator app”."""
    *before, last = [word for part in method.split("+") if (word := _METHODS.get(part))] or [""]
    return (", ".join(before) + " and " + last if before else last).capitalize()


def _missing(realm: Realm, account: Account, *, problem: str = "", shown: str = "", mailed: str = "") -> str | None:
    # A passkey can't be guessed: who shows one needs no mail.
    if mailed == "needed" and shown != "passkey":
        return SHOW_MAILED_CODE
    has_factor = shown == SHOWN_THERE or has_second_factor(realm, account.id)
    if has_factor and not shown:
        return SHOW_FACTOR
    if problem:
        return NEW_PASSWORD
    if not has_factor and needs_factor(realm, account):
        return SET_UP_FACTOR
    return None
