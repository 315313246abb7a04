"""From our page to the provider and back: what this browser is waiting for, in a sealed cookie for ten minutes."""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from hmac import compare_digest
from typing import Literal
from uuid import UUID

from qikbiz.identity.accounts.realms import Realm
from qikbiz.identity.mfa.challenges import spend
from qikbiz.identity.sso.failures import RoundTripEnded
from qikbiz.identity.sso.queries import Provider
from qikbiz.kernel import clock
from qikbiz.kernel.database import runtime
from qikbiz.web.cookies import SSO, delete_cookie, open_cookie, set_cookie
from qikbiz.web.csrf import form_binding
from qikbiz.web.request_context import destination

Purpose = Literal["login", "try", "confirm"]
LIFE = timedelta(minutes=10)
BACK = "/login/sso/back"
_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """`edition` is the provider's setting that it began with, `place` the session that asked; times are time stamps."""

    purpose: Purpose
    edition: str
    place: str
    target: str = "/"
    state: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    began: float = 0.0


def begin(provider: Provider, purpose: Purpose, target: str = "/") -> RoundTrip:
    """Start one; the browser keeps it. One begun before in the same browser ends."""
    trip = RoundTrip(purpose, _fold(provider.edition), _place(purpose), target, began=clock.now().timestamp())
    set_cookie(SSO, json.dumps(asdict(trip)).encode())
    return trip


def returned(realm: Realm, state: str) -> RoundTrip:
    """The round trip that this answer belongs to; it is used up, whatever comes of it. Raises RoundTripEnded."""
    opened = open_cookie(SSO)
    delete_cookie(SSO)
    if opened is None:
        raise RoundTripEnded("This browser is not waiting for a response from the provider.")
    trip = RoundTrip(**json.loads(opened.plaintext))
    if not compare_digest(trip.state.encode(), state.encode("utf-8", "replace")):
        raise RoundTripEnded("The response does not match the last sign-in started in this browser.")
    if clock.now().timestamp() >= trip.began + LIFE.total_seconds():
        raise RoundTripEnded("It took longer than ten minutes.")
    if trip.place != _place(trip.purpose):
        raise RoundTripEnded("It was started in another session.")
    # In a transaction of its own, so that it stays used up when the rest fails.
    with realm.own_work():
        if not spend(realm, b"sso|" + trip.state.encode(), _NOBODY):
            raise RoundTripEnded("This response was used before.")
    return trip


def require_same(trip: RoundTrip, provider: Provider) -> None:
    """Raises RoundTripEnded when the provider was changed while the user was away at it."""
    if trip.edition != _fold(provider.edition):
        raise RoundTripEnded("The provider was set up again in the meantime.")


def back_address() -> str:
    """Where the provider sends people back: to the very host that they left."""
    return runtime().settings.origin(destination().host) + BACK


def _fold(edition: str) -> str:
    return hashlib.sha256(edition.encode()).hexdigest()[:32]


def _place(purpose: Purpose) -> str:
    # A user who signs in has no session yet, and the cookie itself is this browser's.
    return "" if purpose == "login" else hashlib.sha256(purpose.encode() + b"|" + form_binding()).hexdigest()[:32]
