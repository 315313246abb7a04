"""Authenticator apps (TOTP, RFC 6238): six digits that change every half minute. Each is good once."""

from __future__ import annotations

from hmac import compare_digest
from uuid import UUID

import pyotp

from config.keys import Opened
from qikbiz.identity.accounts.realms import Realm
from qikbiz.kernel import clock
from qikbiz.kernel.database import runtime

_PURPOSE, _SETUP = "app-secret", "app-setup"
_SECONDS = 30
_SECRET_CHARACTERS = 32
# One half minute to either side, for clocks that differ and hands that are slow.
_WINDOW = 1


def new_secret() -> str:
    return pyotp.random_base32(_SECRET_CHARACTERS)


def address_for_app(realm: Realm, email: str, secret: str) -> str:
    """The `otpauth:` address that the app reads from the square code."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=f"QikBiz {realm.name}".replace(":", " "))


def accepted_step(secret: str, code: str, *, after: int) -> int | None:
    """The number of the half minute that `code` belongs to, if it is now and later than the one used last."""
    now = int(clock.now().timestamp()) // _SECONDS
    generator = pyotp.TOTP(secret)
    steps = range(now - _WINDOW, now + _WINDOW + 1)
    right = [step for step in steps if compare_digest(generator.generate_otp(step).encode(), code.encode())]
    return next((step for step in right if step > after), None)


def seal_secret(realm: Realm, person_id: UUID, secret: str) -> str:
    """For the table: bound to the person, so that a row copied to another user opens nothing."""
    return runtime().settings.keys.seal(_PURPOSE, secret.encode(), bound_to=_owner(realm, person_id))


def open_secret(realm: Realm, person_id: UUID, sealed: str) -> Opened:
    """Raises SealBroken."""
    return runtime().settings.keys.open(_PURPOSE, sealed, bound_to=_owner(realm, person_id))


def seal_for_form(realm: Realm, person_id: UUID, place: bytes, secret: str) -> str:
    """For the form that finishes the set-up, bound also to the session or pending login (`place`) that it began in."""
    return runtime().settings.keys.seal(_SETUP, secret.encode(), bound_to=f"{_owner(realm, person_id)}|{place.hex()}")


def open_from_form(realm: Realm, person_id: UUID, place: bytes, sealed: str) -> str:
    """Raises SealBroken."""
    bound = f"{_owner(realm, person_id)}|{place.hex()}"
    return runtime().settings.keys.open(_SETUP, sealed, bound_to=bound).plaintext.decode()


def _owner(realm: Realm, person_id: UUID) -> str:
    return f"{realm.tenant.id.hex if realm.tenant else 'staff'}|{person_id.hex}"
