"""Setting up the provider, and letting people in who come back from it. Nobody is created here."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from qikbiz.audit.actions import record
from qikbiz.identity.accounts import lifetimes
from qikbiz.identity.accounts.audit_events import record_login_event
from qikbiz.identity.accounts.principal import Principal
from qikbiz.identity.accounts.queries import account_for_change, account_named
from qikbiz.identity.accounts.realms import Account, Realm
from qikbiz.identity.accounts.tokens import end_links
from qikbiz.identity.login.login_steps import SHOWN_THERE, admit
from qikbiz.identity.sessions import sessions
from qikbiz.identity.sign_in_policy.sso_only import is_only_way_now
from qikbiz.identity.sso.auth_requests import RoundTrip
from qikbiz.identity.sso.failures import NobodyHere, RoundTripEnded, SsoFailed, SsoRefused
from qikbiz.identity.sso.models import ONLY, SsoIdentity, SsoProvider
from qikbiz.identity.sso.openid import LEEWAY_SECONDS, Claims
from qikbiz.identity.sso.queries import Provider, provider_row, seal
from qikbiz.kernel import clock
from qikbiz.kernel.errors import NotFound
from qikbiz.security.access_log.kinds import AccessKind
from qikbiz.security.access_log.recorder import record_access
from qikbiz.security.ip_reputation.events import record_event
from qikbiz.web.metrics import count_login

_ASK = "Ask an administrator of your workspace."


def set_provider(realm: Realm, *, issuer: str, client_id: str, secret: str, label: str) -> None:
    """Write the provider down. An empty `secret` keeps the one that is there. Raises SsoRefused."""
    row = provider_row(realm, for_change=True)
    if row is None:
        _new_provider(realm, issuer=issuer, client_id=client_id, secret=secret, label=label)
        record("sso.provider_set", subject=label, details={"issuer": issuer, "client_id": client_id})
        return
    if issuer != row.issuer:
        _refuse_while_it_is_the_only_way(realm, "The issuer can't be changed")
    wanted = {"issuer": issuer, "client_id": client_id, "label": label}
    changes = {name: [getattr(row, name), value] for name, value in wanted.items() if getattr(row, name) != value}
    if secret:
        row.sealed_secret = seal(realm, secret)
        changes["client_secret"] = ["", "A new one"]
    for name, value in wanted.items():
        setattr(row, name, value)
    if set(changes) - {"label"}:
        row.changed_at = clock.now()
    if changes:
        record("sso.provider_changed", subject=label, details={"changes": changes})


def switch(realm: Realm, *, is_on: bool) -> bool:
    """Let people in by the provider, or no longer. False when it is so already. Raises SsoRefused."""
    row = _known(realm)
    if row.is_on == is_on:
        return False
    if not is_on:
        _refuse_while_it_is_the_only_way(realm, "Single sign-on can't be turned off")
    row.is_on = is_on
    record("sso.switched_on" if is_on else "sso.switched_off", subject=row.label)
    return True


def remove_provider(realm: Realm) -> None:
    """Forget the provider, its secret, and whose its logins are. Raises SsoRefused."""
    row = provider_row(realm, for_change=True)
    if row is None:
        return
    _refuse_while_it_is_the_only_way(realm, "The provider can't be removed")
    realm.work.execute(delete(SsoIdentity))
    realm.work.delete(row)
    record("sso.removed", subject=row.label, details={"issuer": row.issuer})


def disconnect(realm: Realm, email: str) -> Account:
    """Forget which login at the provider is this person's: the next one with the same address will be.

    Raises NotFound for a user who has never signed in so.
    """
    account = account_named(realm.work, realm, email)
    gone = delete(SsoIdentity).where(SsoIdentity.user_id == (account.id if account else None))
    if account is None or not list(realm.work.scalars(gone.returning(SsoIdentity.subject))):
        raise NotFound
    record("sso.disconnected", record_type="user", record_id=account.id, subject=account.email)
    return account


def come_in(realm: Realm, provider: Provider, claims: Claims, target: str) -> str:
    """Sign in whom the provider names; returns the path to go to.

    Raises NobodyHere, RoundTripEnded, OutsideNetworks.
    """
    row = provider_row(realm)
    if row is None or not row.is_on or row.issuer != provider.issuer:
        raise RoundTripEnded("The provider was turned off in the meantime.")
    account = _account(realm, claims)
    if account.state == "invited":
        account.state = "active"
        end_links(realm.work, realm, account, "invitation")
        record_access(AccessKind.INVITATION_ACCEPTED, person=account, detail="By single sign-on")
        record_login_event(realm, "user.joined", account, how="sso")
    record_event("login_succeeded", account=account.email_key)
    count_login(realm.kind, "right")
    shown = SHOWN_THERE if claims.has_second_factor else ""
    return admit(realm, account, "sso", target=target, shown=shown, is_fresh=_is_fresh(claims))


def confirm_by_sso(realm: Realm, person: Principal, claims: Claims, trip: RoundTrip) -> None:
    """Make this session fresh, if the provider has just asked this very person again. Raises SsoFailed."""
    identity = realm.work.get(SsoIdentity, (claims.issuer, claims.subject))
    if identity is None or identity.user_id != person.id:
        raise SsoFailed(
            "You are signed in at the provider as a different user. Switch accounts there, and confirm again."
        )
    if claims.auth_time is None:
        raise SsoFailed(
            "The provider did not say when you signed in (the claim “auth_time”), so this can't be accepted."
        )
    if not trip.began - LEEWAY_SECONDS <= claims.auth_time <= clock.now().timestamp() + LEEWAY_SECONDS:
        raise SsoFailed("The provider did not ask you to sign in again, as requested.")
    record_access(AccessKind.CONFIRMED, person=person, detail="By single sign-on")
    sessions.make_fresh(realm.work, realm, person.session_key, person.id)


def who_would_come_in(realm: Realm, claims: Claims) -> Account | None:
    """Whose login these claims would open, with nothing written: for trying."""
    identity = realm.work.get(SsoIdentity, (claims.issuer, claims.subject))
    if identity is not None:
        account = realm.work.get(realm.people, identity.user_id)
    else:
        account = _account_with_address(realm, claims.email) if claims.is_email_verified else None
    return account if account is not None and account.state != "disabled" else None


def _refuse_while_it_is_the_only_way(realm: Realm, what: str) -> None:
    """Asked with the provider's row locked: whoever makes it the only way locks that row too."""
    if is_only_way_now(realm):
        raise SsoRefused(
            f"{what} while it is the only sign-in method. First allow other methods under “Sign-in policy”."
        )


def _known(realm: Realm) -> SsoProvider:
    row = provider_row(realm, for_change=True)
    if row is None:
        raise SsoRefused("No provider is set up. It may have been removed. Reload the page.")
    return row


def _new_provider(realm: Realm, *, issuer: str, client_id: str, secret: str, label: str) -> None:
    given = {"id": ONLY, "issuer": issuer, "client_id": client_id, "label": label, "changed_at": clock.now()}
    statement = insert(SsoProvider).values(given | {"sealed_secret": seal(realm, secret)}).on_conflict_do_nothing()
    if realm.work.scalar(statement.returning(SsoProvider.id)) is None:
        raise SsoRefused("Another administrator has just set up a provider. Reload the page.")


def _account(realm: Realm, claims: Claims) -> Account:
    identity = realm.work.get(SsoIdentity, (claims.issuer, claims.subject))
    user_id = identity.user_id if identity is not None else _first_time(realm, claims)
    account = account_for_change(realm.work, realm, user_id)
    if account.state == "disabled":
        raise NobodyHere(_nobody(claims))
    if identity is None:
        _connect(realm, account, claims)
    else:
        identity.last_used_at = clock.now()
    return account


def _first_time(realm: Realm, claims: Claims) -> UUID:
    if not claims.email:
        raise NobodyHere(f"The provider did not give your email address. {_ASK}")
    if not claims.is_email_verified:
        raise NobodyHere(f"The provider does not confirm that {claims.email} is yours (“email_verified”). {_ASK}")
    account = _account_with_address(realm, claims.email)
    if account is None:
        raise NobodyHere(_nobody(claims))
    return account.id


def _account_with_address(realm: Realm, email: str) -> Account | None:
    """Whose address this is, letter by letter. The look-up takes ß for ss and more, and straße.example has another
    owner than strasse.example."""
    account = account_named(realm.work, realm, email)
    return account if account is not None and _folded(account.email) == _folded(email) else None


def _folded(email: str) -> str:
    return "".join(letter.lower() if letter.isascii() else letter for letter in email.strip())


def _connect(realm: Realm, account: Account, claims: Claims) -> None:
    """Note whose login at the provider this is from now on. The account's row is locked."""
    moment = clock.now()
    given = {"issuer": claims.issuer, "subject": claims.subject, "user_id": account.id, "created_at": moment}
    statement = insert(SsoIdentity).values(given | {"last_used_at": moment}).on_conflict_do_nothing()
    if realm.work.scalar(statement.returning(SsoIdentity.subject)) is None:
        other = select(SsoIdentity.subject).where(SsoIdentity.user_id == account.id)
        known = realm.work.scalar(other.where(SsoIdentity.issuer == claims.issuer))
        if known != claims.subject:
            raise NobodyHere(
                f"{claims.email} is connected to another account at the provider. An administrator of your workspace "
                "can disconnect it under “Single sign-on”."
            )
    record_login_event(realm, "sso.connected", account)


def _nobody(claims: Claims) -> str:
    return (
        f"The provider says that you are {claims.email or 'a user without an email address'}. No account here has that "
        "address. Ask an administrator of your workspace to invite you with exactly this address."
    )


def _is_fresh(claims: Claims) -> bool:
    """Whether the provider asked for the password just now, and not in the morning."""
    oldest = (clock.now() - lifetimes.FRESH).timestamp()
    return claims.auth_time is not None and claims.auth_time >= oldest
