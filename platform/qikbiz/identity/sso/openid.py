"""OpenID Connect as far as it is used: discovery, the code flow with PKCE, and an ID token that is believed only whole.

The rules of the standards are Authlib's and joserfc's (OpenID Connect Core 3.1.3.7, RFC 7636, RFC 9207); what is asked
over the network goes through `provider_client`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import get_well_known_url
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from qikbiz.identity.sso.failures import ProviderAway, SsoFailed
from qikbiz.identity.sso.provider_client import check_address, fetch
from qikbiz.identity.sso.queries import Provider
from qikbiz.kernel import clock
from qikbiz.kernel.deadline import Deadline

# Signed with the provider's private key, every one: no "none", and no secret that could be taken from a public key.
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
LEEWAY_SECONDS = 60
_LONGEST_TOKEN = 32 * 1024
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
# What the library and JSON of any shape may end in.
_BROKEN = (JoseError, ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError, OverflowError)
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What the issuer's discovery document says. `by_post` is how the client names itself where it tokens are given."""

    authorization: str
    token: str
    keys: str
    by_post: bool
    names_itself: bool


@dataclass(frozen=True, slots=True)
class Claims:
    """What a whole and valid ID token says. `auth_time` is a time stamp, None where the provider doesn't say."""

    issuer: str
    subject: str
    email: str
    is_email_verified: bool
    methods: tuple[str, ...]
    auth_time: float | None

    @property
    def has_second_factor(self) -> bool:
        return "mfa" in self.methods


def discover(issuer: str, deadline: Deadline) -> Endpoints:
    """Raises ProviderAway, also when the document speaks for another issuer."""
    status, document = fetch(get_well_known_url(issuer, external=True), deadline)
    if status != 200:
        raise ProviderAway(f"It answered with status {status}.")
    if document.get("issuer") != issuer:
        raise ProviderAway(f"It states the issuer {_shown(document.get('issuer'))}, not the one set up here.")
    endpoints = [document.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
    if not all(isinstance(endpoint, str) for endpoint in endpoints):
        raise ProviderAway("Its discovery document lacks an address that is needed.")
    authorization, token, keys = (str(endpoint) for endpoint in endpoints)
    try:
        for endpoint in (authorization, token, keys):
            check_address(endpoint)
    except ValueError as bad:
        raise ProviderAway(f"Its discovery document has an address that can't be used: {bad.args[0]}") from bad
    methods = document.get("token_endpoint_auth_methods_supported")
    known = methods if isinstance(methods, list) else ["client_secret_basic"]
    return Endpoints(
        authorization,
        token,
        keys,
        by_post="client_secret_basic" not in known and "client_secret_post" in known,
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )


def authorization_url(
    provider: Provider, endpoints: Endpoints, *, back: str, state: str, nonce: str, verifier: str, is_asked_anew: bool
) -> str:
    """Where the browser is sent. `is_asked_anew` has the provider ask for the password even of whom it knows."""
    anew = {"prompt": "login", "max_age": "0"} if is_asked_anew else {}
    return str(
        prepare_grant_uri(
            endpoints.authorization,
            provider.client_id,
            "code",
            redirect_uri=back,
            scope="openid email profile",
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
            **anew,
        )
    )


def claims_for(
    provider: Provider, endpoints: Endpoints, code: str, deadline: Deadline, *, back: str, nonce: str, verifier: str
) -> Claims:
    """Exchange the code and check the ID token that comes for it. Raises SsoFailed, ProviderAway."""
    body = prepare_token_request("authorization_code", code=code, redirect_uri=back, code_verifier=verifier)
    method = "client_secret_post" if endpoints.by_post else "client_secret_basic"
    auth = ClientAuth(provider.client_id, provider.secret, method)
    _uri, headers, body = auth.prepare("POST", endpoints.token, dict(_FORM), body)
    status, answer = fetch(endpoints.token, deadline, body=body, headers=headers)
    token = answer.get("id_token")
    if status != 200 or not isinstance(token, str) or len(token) > _LONGEST_TOKEN:
        raise SsoFailed(_refusal(answer))
    status, keys = fetch(endpoints.keys, deadline)
    if status != 200:
        raise ProviderAway(f"Its keys can't be read: it answered with status {status}.")
    return checked(provider, token, keys, nonce=nonce)


def checked(provider: Provider, token: str, keys: Mapping[str, object], *, nonce: str) -> Claims:
    """What the ID token says, if every part of it holds. Raises SsoFailed."""
    try:
        decoded = jwt.decode(token, KeySet.import_key_set(keys), algorithms=list(ALGORITHMS))  # type: ignore[arg-type]  # JSON of any shape; what is no set of keys raises
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            options={
                "iss": {"essential": True, "value": provider.issuer},
                "aud": {"essential": True, "value": provider.client_id},
                "nonce": {"essential": True, "value": nonce},
            },
            params={"client_id": provider.client_id, "nonce": nonce},
        )
        claims.validate(now=int(clock.now().timestamp()), leeway=LEEWAY_SECONDS)
        return _claims(claims)
    except _BROKEN as error:
        logger.warning("sso_token_refused", extra={"reason": type(error).__name__})
        raise SsoFailed(f"The provider's ID token is not valid: {_reason(error)}.") from error


def _claims(claims: dict[str, Any]) -> Claims:
    subject, email, methods = claims["sub"], claims.get("email"), claims.get("amr")
    if not isinstance(subject, str) or not 1 <= len(subject) <= 255 or not subject.isprintable():
        raise ValueError("sub")
    auth_time = claims.get("auth_time")
    return Claims(
        issuer=claims["iss"],
        subject=subject,
        email=email.strip()[:320] if isinstance(email, str) and email.isprintable() else "",
        is_email_verified=claims.get("email_verified") is True,
        methods=tuple(method for method in methods if isinstance(method, str)) if methods else (),
        auth_time=float(auth_time) if isinstance(auth_time, int | float) else None,
    )


def _reason(error: Exception) -> str:
    """The part that did not hold, by its name in the standard. Never a value."""
    claim = getattr(error, "claim", "")
    words = {"exp": "it has expired", "iss": "its issuer", "aud": "it is for another client", "nonce": "its nonce"}
    return words.get(claim, claim and f"“{claim}”") or "its signature or form"


def _shown(named: object) -> str:
    return f"“{named}”" if isinstance(named, str) and named.isprintable() and len(named) <= 200 else "none"


def _refusal(answer: Mapping[str, object]) -> str:
    error = answer.get("error")
    if error == "invalid_client":
        return "The provider does not accept the client ID and client secret that are set up here."
    if error == "invalid_grant":
        return "The provider does not accept the code any more. Codes work once and expire soon."
    return "The provider gave no ID token."
