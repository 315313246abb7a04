"""What can be done with second factors: show one, add, rename and remove them, make recovery codes anew."""

from __future__ import annotations

import logging
from uuid import UUID

from sqlalchemy import delete, select, update

from config.keys import SealBroken
from qikbiz.identity.accounts import emails, throttles
from qikbiz.identity.accounts.audit_events import record_login_event
from qikbiz.identity.accounts.principal import Principal
from qikbiz.identity.accounts.queries import account_for_change, has_second_factor
from qikbiz.identity.accounts.realms import Account, Factor, Realm
from qikbiz.identity.mfa import challenges, passkeys, recovery, totp
from qikbiz.identity.mfa.failures import LastFactor, MoreNeeded, PasskeyRefused, WrongCode
from qikbiz.identity.mfa.queries import app_of, codes_left, passkey_of, passkey_with, passkeys_of
from qikbiz.identity.sessions import sessions
from qikbiz.identity.sign_in_policy.queries import needs_factor
from qikbiz.kernel import clock
from qikbiz.security.access_log.kinds import AccessKind
from qikbiz.security.access_log.recorder import record_access
from qikbiz.security.ip_reputation.events import record_event

MOST_PASSKEYS = 20
_WRONG_CODE = "Incorrect code. Wait for the next one in your app, or use a recovery code."
logger = logging.getLogger(__name__)


def show_code(realm: Realm, account: Account, code: str, *, place: str, is_vouched: bool) -> str:
    """Take the app's present code or an unused recovery code; says which. Raises WrongCode, TooMany or MoreNeeded.

    `place` is where it is given. Unless `is_vouched`, by a session or a mailed code, it is not even looked at while
    codes are being guessed for this person.
    """
    attempt = throttles.try_factor(realm, account.id.hex, place)
    if attempt.is_hot and not is_vouched:
        attempt.give_back()
        raise MoreNeeded
    if _is_code_of_app(realm, account, code.replace(" ", "")):
        shown = "app"
    elif _use_recovery_code(realm, account, code):
        shown = "recovery"
    else:
        record_event("login_failed", account=account.email_key)
        record_access(AccessKind.SECOND_FACTOR, "failed", person=account, detail="The code was wrong")
        raise WrongCode(_WRONG_CODE)
    attempt.give_back()
    record_access(AccessKind.SECOND_FACTOR, person=account)
    return shown


def show_passkey(realm: Realm, answer: str, purpose: challenges.Purpose, *, whose: UUID | None = None) -> Account:
    """Whose passkey answered the question that this browser was asked, locked. Raises PasskeyRefused.

    `whose` is the only person whose passkey will do. The device has checked that its owner is there.
    """
    try:
        factor, account = _answered(realm, answer, purpose, whose)
    except PasskeyRefused:
        record_event("login_failed")
        record_access(AccessKind.SECOND_FACTOR, "failed", detail="The passkey was not accepted")
        raise
    factor.last_used_at = clock.now()
    record_access(AccessKind.SECOND_FACTOR, person=account, detail="Passkey")
    return account


def add_passkey(
    realm: Realm, account: Account, answer: str, name: str, purpose: challenges.Purpose, *, keep: bytes | None
) -> list[str]:
    """Take a new passkey; every session but `keep` ends. Returns recovery codes if it is the first factor."""
    question = challenges.asked(purpose)
    made = passkeys.checked_new(answer, question)
    if len(passkeys_of(realm, account.id)) >= MOST_PASSKEYS:
        raise PasskeyRefused(f"You have {MOST_PASSKEYS} passkeys already. Remove one that you no longer use.")
    if passkey_with(realm, made.credential_id) is not None or not challenges.spend(realm, question, account.id):
        raise PasskeyRefused("This passkey is already registered.")
    codes = _codes_for_the_first(realm, account)
    factor = realm.factors(person_id=account.id, kind="passkey", name=name, handle=made.credential_id)
    factor.public_key, factor.counter, factor.host = made.credential_public_key, made.sign_count, passkeys.host()
    realm.work.add(factor)
    _added(realm, account, f"a passkey named “{name}”", keep, kind="passkey", name=name)
    return codes


def add_app(realm: Realm, account: Account, secret: str, code: str, *, keep: bytes | None) -> list[str]:
    """Take an authenticator app that shows the right code; the one before no longer works. As `add_passkey`.

    Raises WrongCode or TooMany.
    """
    attempt = throttles.try_factor(realm, account.id.hex, throttles.requester())
    step = totp.accepted_step(secret, code.replace(" ", ""), after=0)
    if step is None:
        raise WrongCode("Incorrect code. Check your phone's clock and enter the next code.")
    attempt.give_back()
    codes = _codes_for_the_first(realm, account)
    keep_app(realm, account.id, secret, step)
    _added(realm, account, "an authenticator app", keep, kind="app")
    return codes


def keep_app(realm: Realm, person_id: UUID, secret: str, step: int = 0) -> None:
    """Write an app's secret down in place of the one before. `step` is the half minute whose code was used."""
    table = realm.factors
    realm.work.execute(delete(table).where(table.person_id == person_id, table.kind == "app"))
    sealed = totp.seal_secret(realm, person_id, secret)
    realm.work.add(table(person_id=person_id, kind="app", name="Authenticator app", counter=step, sealed_secret=sealed))


def rename_passkey(realm: Realm, person: Principal, passkey_id: UUID, name: str) -> None:
    factor = passkey_of(realm, person.id, passkey_id)
    before, factor.name = factor.name, name
    record_login_event(realm, "factor.renamed", person, name=[before, name])


def remove_passkey(realm: Realm, person: Principal, passkey_id: UUID) -> str:
    """Forget one passkey; other sessions end. Returns its name. Raises NotFound or LastFactor."""
    account = account_for_change(realm.work, realm, person.id)
    factor = passkey_of(realm, person.id, passkey_id)
    _remove(realm, account, [factor], f"the passkey named “{factor.name}”", person.session_key)
    return factor.name


def remove_app(realm: Realm, person: Principal) -> None:
    """Forget the authenticator app; other sessions end. Raises LastFactor."""
    account = account_for_change(realm.work, realm, person.id)
    app = app_of(realm, person.id)
    if app is not None:
        _remove(realm, account, [app], "the authenticator app", person.session_key)


def make_recovery_codes(realm: Realm, person: Principal) -> list[str]:
    """Ten new codes, to be shown once; those before no longer work."""
    account = account_for_change(realm.work, realm, person.id)
    if not has_second_factor(realm, account.id):
        raise LastFactor("Recovery codes need a second factor. Add a passkey or an app first.")
    codes = _new_codes(realm, account)
    record_login_event(realm, "factor.codes_made", account)
    emails.send_sign_in_changed(realm, account, "New recovery codes were created for your account",
                                 "Your previous codes no longer work.")  # fmt: skip
    return codes


def reset_factors(realm: Realm, account: Account, *, by: str) -> int:
    """Remove all second factors of a user who has lost them; every session ends and the user is notified.

    The next login asks for the password alone, and for a new factor where one is required. Returns how many went.
    """
    table = realm.factors
    gone = len(list(realm.work.scalars(delete(table).where(table.person_id == account.id).returning(table.id))))
    account.epoch += 1
    sessions.end_sessions_of(realm.work, realm, account.id, "factors_reset")
    record_login_event(realm, "factor.reset", account, factors=gone)
    emails.send_sign_in_changed(
        realm,
        account,
        "Your second factor was removed",
        f"{by} removed your passkeys, authenticator app and recovery codes, and you were signed out everywhere. "
        "Sign in with your password and set up a second factor again.",
    )
    return gone


def seal_anew(realm: Realm) -> int:
    """Seal every app's secret that lies under an older key with the active one, so that keys can be retired."""
    table, changed = realm.factors, 0
    for factor in realm.work.scalars(select(table).where(table.kind == "app")):
        changed += _seal_one_anew(realm, factor)
    return changed


def _seal_one_anew(realm: Realm, factor: Factor) -> bool:
    try:
        opened = totp.open_secret(realm, factor.person_id, factor.sealed_secret or "")
    except SealBroken:
        logger.error("app_secret_broken", extra={"factor": str(factor.id)})
        return False
    if opened.is_stale:
        factor.sealed_secret = totp.seal_secret(realm, factor.person_id, opened.plaintext.decode())
    return opened.is_stale


def _is_code_of_app(realm: Realm, account: Account, code: str) -> bool:
    app = app_of(realm, account.id)
    if app is None or app.sealed_secret is None or not (code.isascii() and code.isdigit()):
        return False
    try:
        secret = totp.open_secret(realm, account.id, app.sealed_secret).plaintext.decode()
    except SealBroken:
        logger.error("app_secret_broken", extra={"factor": str(app.id)})
        return False
    step = totp.accepted_step(secret, code, after=app.counter)
    if step is None:
        return False
    _seal_one_anew(realm, app)
    table = realm.factors
    # Once only, also for two requests that come at the same time.
    used = update(table).where(table.id == app.id, table.counter < step)
    return realm.work.scalar(used.values(counter=step, last_used_at=clock.now()).returning(table.id)) is not None


def _use_recovery_code(realm: Realm, account: Account, code: str) -> bool:
    table, moment = realm.factors, clock.now()
    handle = recovery.hash_of(code, account.id)
    used = update(table).where(
        table.handle == handle, table.person_id == account.id, table.kind == "recovery", table.used_at.is_(None)
    )
    if realm.work.scalar(used.values(used_at=moment, last_used_at=moment).returning(table.id)) is None:
        return False
    left = codes_left(realm, account.id)
    record_login_event(realm, "factor.code_used", account, left=left)
    emails.send_sign_in_changed(
        realm,
        account,
        "A recovery code of your account was used",
        f"It no longer works. You have {left} left. If you have lost your phone or passkey, set up a new one.",
    )
    return True


def _answered(realm: Realm, answer: str, purpose: challenges.Purpose, whose: UUID | None) -> tuple[Factor, Account]:
    question = challenges.asked(purpose)
    factor = passkey_with(realm, passkeys.handle_in(answer))
    if factor is None or (whose is not None and factor.person_id != whose):
        raise PasskeyRefused("This passkey does not belong to this account, or was removed from it.")
    checked = passkeys.checked(answer, question, factor)
    owner = passkeys.owner_in(answer)
    account = account_for_change(realm.work, realm, factor.person_id)
    if (owner is not None and owner != account.id.bytes) or account.state != "active":
        raise PasskeyRefused("This passkey does not belong to an account in this workspace.")
    if not challenges.spend(realm, question, account.id):
        raise PasskeyRefused("This passkey response was used before. Try again.")
    factor.counter = checked.new_sign_count
    return factor, account


def _codes_for_the_first(realm: Realm, account: Account) -> list[str]:
    return [] if has_second_factor(realm, account.id) else _new_codes(realm, account)


def _new_codes(realm: Realm, account: Account) -> list[str]:
    table, codes = realm.factors, recovery.new_codes()
    realm.work.execute(delete(table).where(table.person_id == account.id, table.kind == "recovery"))
    for code in codes:
        realm.work.add(table(person_id=account.id, kind="recovery", handle=recovery.hash_of(code, account.id)))
    return codes


def _added(realm: Realm, account: Account, what: str, keep: bytes | None, **details: str) -> None:
    realm.work.flush()
    sessions.end_sessions_of(realm.work, realm, account.id, "factor_added", except_key=keep)
    record_login_event(realm, "factor.added", account, **details)
    emails.send_sign_in_changed(
        realm,
        account,
        "A second factor was added to your account",
        f"Added: {what}. Your other devices were signed out.",
    )


def _remove(realm: Realm, account: Account, factors: list[Factor], what: str, keep: bytes) -> None:
    for factor in factors:
        realm.work.delete(factor)
    realm.work.flush()
    if not has_second_factor(realm, account.id):
        if needs_factor(realm, account):
            raise LastFactor("Your workspace requires a second factor. Add another one before you remove this one.")
        table = realm.factors
        realm.work.execute(delete(table).where(table.person_id == account.id, table.kind == "recovery"))
    sessions.end_sessions_of(realm.work, realm, account.id, "factor_removed", except_key=keep)
    record_login_event(realm, "factor.removed", account, kind=factors[0].kind, name=factors[0].name)
    emails.send_sign_in_changed(
        realm, account, "A second factor was removed from your account",
        f"Removed: {what}. Your other devices were signed out.",
    )  # fmt: skip
