"""The way to the identity provider and back."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from qikbiz.audit.actions import record
from qikbiz.identity.accounts import throttles
from qikbiz.identity.accounts.audit_events import record_failed_login
from qikbiz.identity.accounts.realms import Realm, current_realm
from qikbiz.identity.sign_in_policy.queries import policy_of
from qikbiz.identity.sso import actions, auth_requests
from qikbiz.identity.sso.auth_requests import BACK, Purpose, RoundTrip
from qikbiz.identity.sso.blueprint import sso
from qikbiz.identity.sso.failures import NobodyHere, ProviderAway, RoundTripEnded, SsoFailed
from qikbiz.identity.sso.openid import Claims, Endpoints, authorization_url, claims_for, discover
from qikbiz.identity.sso.provider_client import new_deadline
from qikbiz.identity.sso.provider_outage import is_spared, mark_away, was_away
from qikbiz.identity.sso.queries import Provider, has_identity, label_on_offer, provider_of
from qikbiz.kernel.access import access
from qikbiz.kernel.errors import Failure, NotFound
from qikbiz.kernel.permissions import Permission
from qikbiz.security.access_log.kinds import AccessKind
from qikbiz.security.access_log.recorder import record_access
from qikbiz.security.ip_reputation.events import record_event
from qikbiz.web.csrf import is_cross_site
from qikbiz.web.safe_redirect import own_path

_EXPECTED = (SsoFailed, ProviderAway, NobodyHere)
_TITLES = {
    "sso_failed": "Sign-in failed",
    "sso_ended": "This sign-in has expired",
    "sso_away": "The identity provider does not respond",
    "sso_nobody": "No account found",
}


@sso.app_template_global("sso_label")
def sso_label() -> str:
    """What the button of the login says; empty where there is no single sign-on."""
    return label_on_offer(current_realm())


@sso.app_template_global("can_confirm_by_sso")
def can_confirm_by_sso() -> bool:
    """Whether the user signs in at the provider too, and can confirm there that it is still them."""
    realm = current_realm()
    return realm.tenant is not None and has_identity(realm, current_user.id)


@sso.app_template_global("sso_is_only_way")
def sso_is_only_way() -> bool:
    return policy_of(current_realm()).sso_only


@sso.app_template_global("sso_is_away")
def sso_is_away() -> bool:
    """Whether the provider did not answer a moment ago."""
    return was_away(current_realm())


@sso.get("/login/sso")
@access(Permission.PUBLIC)
def log_in() -> ResponseReturnValue:
    target = own_path(request.args.get("next"))
    if current_user.is_authenticated:
        return redirect(target)
    provider = provider_of(current_realm())
    if provider is None or not provider.is_on:
        return redirect(url_for("accounts.login", next=target))
    return _to_provider(provider, "login", target)


@sso.get("/confirm/sso")
@access(Permission.SIGNED_IN)
def confirm() -> ResponseReturnValue:
    provider = provider_of(current_realm())
    if provider is None or not provider.is_on:
        raise NotFound
    return _to_provider(provider, "confirm", own_path(request.args.get("next")))


@sso.get("/settings/single-sign-on/trial")
@access(Permission.POLICY_SET, fresh=True)
def try_it() -> ResponseReturnValue:
    provider = provider_of(current_realm())
    if provider is None:
        raise NotFound
    return _to_provider(provider, "try")


@sso.get(BACK)
@access(Permission.PUBLIC)
def back() -> ResponseReturnValue:
    realm = current_realm()
    try:
        trip = auth_requests.returned(realm, request.args.get("state", ""))
    except RoundTripEnded as ended:
        # The same answer twice, by reloading or from two tabs: a user who is signed in already continues.
        return redirect("/") if current_user.is_authenticated else _failed(ended)
    # Counted only for who was sent to the provider from here: any page of another site can ask for this address.
    give_back = throttles.ask_provider(realm)
    try:
        provider = _provider_for(realm, trip)
        claims = _claims(provider, trip)
        answer = _arrive(realm, provider, claims, trip)
    except _EXPECTED as failure:
        return _tried(realm, None, failure) if trip.purpose == "try" else _failed(failure, trip.purpose, trip.target)
    give_back()
    return answer


def _to_provider(provider: Provider, purpose: Purpose, target: str = "/") -> ResponseReturnValue:
    realm = current_realm()
    throttles.ask_provider(realm, is_cross_site=is_cross_site())
    try:
        endpoints = _endpoints(realm, provider, purpose)
    except ProviderAway as away:
        return _tried(realm, None, away) if purpose == "try" else _failed(away, purpose, target)
    trip = auth_requests.begin(provider, purpose, target)
    url = authorization_url(
        provider,
        endpoints,
        back=auth_requests.back_address(),
        state=trip.state,
        nonce=trip.nonce,
        verifier=trip.verifier,
        is_asked_anew=purpose == "confirm",
    )
    return redirect(url, 303)


def _endpoints(realm: Realm, provider: Provider, purpose: Purpose) -> Endpoints:
    if purpose == "login" and is_spared(realm):
        raise ProviderAway("It did not answer a moment ago. Try again in a few seconds.")
    try:
        endpoints = discover(provider.issuer, new_deadline())
    except ProviderAway:
        mark_away(realm, is_away=True)
        raise
    mark_away(realm, is_away=False)
    return endpoints


def _provider_for(realm: Realm, trip: RoundTrip) -> Provider:
    provider = provider_of(realm)
    if provider is None or (not provider.is_on and trip.purpose != "try"):
        raise RoundTripEnded("The provider was turned off in the meantime.")
    auth_requests.require_same(trip, provider)
    return provider


def _claims(provider: Provider, trip: RoundTrip) -> Claims:
    """What the provider says about the user who came back. Everything that it is asked is asked in one deadline."""
    code, deadline = request.args.get("code", ""), new_deadline()
    if request.args.get("error") == "access_denied":
        raise SsoFailed("The provider did not sign you in, or you cancelled.")
    if not code or len(code) > 4_000:
        raise SsoFailed("The provider sent you back without a code.")
    endpoints = discover(provider.issuer, deadline)
    # RFC 9207: an answer that another provider gave is not taken for this one's.
    named = request.args.get("iss", "" if endpoints.names_itself else provider.issuer)
    if named != provider.issuer:
        raise SsoFailed("The response came from another provider.")
    return claims_for(
        provider, endpoints, code, deadline, back=auth_requests.back_address(), nonce=trip.nonce, verifier=trip.verifier
    )


def _arrive(realm: Realm, provider: Provider, claims: Claims, trip: RoundTrip) -> ResponseReturnValue:
    if trip.purpose == "try":
        return _tried(realm, claims)
    if trip.purpose == "confirm":
        actions.confirm_by_sso(realm, current_user, claims, trip)
        return redirect(own_path(trip.target), 303)
    return redirect(actions.come_in(realm, provider, claims, own_path(trip.target)), 303)


def _failed(failure: Failure, purpose: Purpose = "login", target: str = "/") -> ResponseReturnValue:
    """A plain page; what went wrong stands in the access log and the audit."""
    realm, is_confirmation = current_realm(), purpose == "confirm"
    if isinstance(failure, NobodyHere | SsoFailed):
        record_event("sso_failed")
        record_failed_login(realm, None, "sso")
    kind = AccessKind.CONFIRMED if is_confirmation else AccessKind.LOGIN
    record_access(kind, "failed", detail=f"Single sign-on: {failure.text}")
    page = render_template(
        "sso/failed.html",
        title=_TITLES.get(failure.key, "Sign-in failed"),
        text=failure.text,
        is_away=isinstance(failure, ProviderAway),
        is_only_way=policy_of(realm).sso_only,
        is_confirmation=is_confirmation,
        target=own_path(target),
    )
    return page, failure.status


def _tried(realm: Realm, claims: Claims | None, failure: Failure | None = None) -> ResponseReturnValue:
    """What would happen, for the administrator who tries it. Nobody is signed in by it."""
    if not current_user.can(Permission.POLICY_SET):
        raise NotFound
    record("sso.tried", subject="Single sign-on", details={"outcome": failure.text if failure else "It works"})
    account = actions.who_would_come_in(realm, claims) if claims else None
    page = render_template("sso/tried.html", claims=claims, failure=failure, account=account)
    return page, failure.status if failure else 200
