"""The one registry of cookies. Every cookie that the product sets is declared here and goes through here.

Each value is sealed with the cookie's name, the host and the tenant that it is for, so that a value copied to another
cookie, host or tenant opens nowhere.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from flask import Flask, Response, request

from config.keys import KeyUnknown, Opened, SealBroken
from qikbiz.kernel.database import runtime
from qikbiz.kernel.errors import Failure
from qikbiz.web.request_context import destination

LONGEST_HEADER = 12 * 1024
_LONGEST_VALUE = 3_800
_PENDING, _BROKEN, _CARRIED = "qikbiz.cookies", "qikbiz.broken_cookies", "qikbiz.carried_cookies"
_MARK_BYTES = 12
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cookie:
    """`life` None means that the browser forgets it when it closes; the server decides about the end anyway.

    `meaning` is what the cookie page says that it is for (P1). A cookie that `may_end_sooner` is set for less than its
    life where a rule of the organisation, or what is left of it, says so.
    """

    name: str
    purpose: str
    meaning: str
    life: timedelta | None = None
    kind: Literal["necessary"] = "necessary"
    may_end_sooner: bool = False

    @property
    def is_persistent(self) -> bool:
        return self.life is not None


SESSION = Cookie("__Host-Http-qb_s", "session", "Identifies the signed-in user by an encrypted random identifier.")
REMEMBER = Cookie(
    "__Host-Http-qb_r",
    "remember",
    "Signs you in again on this device. Set only if you select “Stay signed in on this device”.",
    timedelta(days=30),
    may_end_sooner=True,
)
FLASH = Cookie(
    "__Host-Http-qb_f", "flash", "Carries one message, such as “Saved”, to the next page.", timedelta(minutes=5)
)
VISIT = Cookie(
    "__Host-Http-qb_v",
    "visit",
    "Protects forms sent before sign-in, and shows whether this browser kept the session.",
)
HALF_LOGIN = Cookie(
    "__Host-Http-qb_h",
    "half-login",
    "Keeps for ten minutes whose password was correct, until the second factor or new password is entered.",
)
CHALLENGE = Cookie(
    "__Host-Http-qb_c", "challenge", "Contains the challenge that a passkey answers, for one use.", timedelta(minutes=5)
)
SSO = Cookie(
    "__Host-Http-qb_o",
    "sso",
    "Set when you sign in through your organisation's identity provider. Keeps for ten minutes which answer to expect.",
    timedelta(minutes=10),
)
GUEST = Cookie(
    "__Host-Http-qb_g",
    "guest",
    "Identifies the QikBiz staff member who uses support access, and the grant. Set only in their browser.",
)
COOKIES = (SESSION, REMEMBER, FLASH, VISIT, HALF_LOGIN, CHALLENGE, SSO, GUEST)


class HeadersTooLarge(Failure):
    """More cookies than a browser would ever send us."""

    status, key = 431, "bad_request"


def register(app: Flask) -> None:
    app.after_request(_send)


def refuse_oversize() -> None:
    """Raises HeadersTooLarge before anything is parsed or opened."""
    if len(request.headers.get("Cookie", "")) > LONGEST_HEADER:
        raise HeadersTooLarge("The browser sent too many or too large cookies. Delete the cookies of this site.")


def set_cookie(cookie: Cookie, plaintext: bytes, *, life: timedelta | None = None) -> None:
    """Have the current response set `cookie`; a later call for the same cookie wins."""
    marked = b"".join(_marks()) + plaintext
    value = runtime().settings.keys.seal(cookie.purpose, marked, bound_to=cookie.name)
    if len(value) > _LONGEST_VALUE:
        raise ValueError(f"The value of {cookie.name} is too long for a cookie.")
    _pending()[cookie.name] = (value, life or cookie.life)


def delete_cookie(cookie: Cookie) -> None:
    """Have the current response delete `cookie`, if the browser sent it or it was about to be set."""
    pending = _pending()
    pending.pop(cookie.name, None)
    if cookie.name in request.cookies:
        pending[cookie.name] = None


@contextmanager
def kept_only_if_committed() -> Iterator[None]:
    """Forget what was set inside the block when its work fails; what was set before stands."""
    before = dict(_pending())
    try:
        yield
    except BaseException:
        _pending().clear()
        _pending().update(before)
        raise


def open_cookie(cookie: Cookie) -> Opened | None:
    """What the browser holds in `cookie`, or None when it is missing, doubled, changed, or from another place.

    A value whose key this process does not know is left alone: another process may already have the new key.
    """
    value = _only_value(cookie)
    if value is None:
        return None
    try:
        return _of_this_place(cookie, runtime().settings.keys.open(cookie.purpose, value, bound_to=cookie.name))
    except KeyUnknown:
        logger.error("cookie_key_unknown", extra={"cookie": cookie.purpose})
        return None
    except SealBroken:
        logger.warning(f"{cookie.purpose}_invalid", extra={"cookie": cookie.purpose})
        request.environ.setdefault(_BROKEN, []).append(cookie.name)
        return None


def broken_cookies() -> tuple[str, ...]:
    """The names of the cookies of this request that did not open: an event for the abuse check."""
    return tuple(request.environ.get(_BROKEN, ()))


def has_carried_cookie() -> bool:
    """Whether a cookie of this request is one that we set at another host. No browser does that by itself."""
    return bool(request.environ.get(_CARRIED))


def _only_value(cookie: Cookie) -> str | None:
    values = request.cookies.getlist(cookie.name)
    if len(values) > 1:
        # A sibling host may have planted the second one; which is ours can't be known.
        logger.warning("cookie_doubled", extra={"cookie": cookie.purpose})
        return None
    return values[0] if values and values[0] and len(values[0]) <= 4096 else None


def _of_this_place(cookie: Cookie, opened: Opened) -> Opened:
    """What the cookie was set with. Raises SealBroken when that was at another host, or for a tenant before this."""
    host, owner = _marks()
    if not hmac.compare_digest(opened.plaintext[:_MARK_BYTES], host):
        logger.warning("cross_tenant_cookie", extra={"cookie": cookie.purpose})
        request.environ[_CARRIED] = True
        raise SealBroken
    if not hmac.compare_digest(opened.plaintext[_MARK_BYTES : 2 * _MARK_BYTES], owner):
        raise SealBroken
    return replace(opened, plaintext=opened.plaintext[2 * _MARK_BYTES :])


def _marks() -> tuple[bytes, bytes]:
    """Of the current host and of whose it is. They are sealed in, so that one who carries a cookie off is noticed."""
    where = destination()
    owner = where.tenant.id.hex if where.tenant else where.surface
    return _mark(where.host), _mark(owner)


def _mark(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:_MARK_BYTES]


def _pending() -> dict[str, tuple[str, timedelta | None] | None]:
    # On the request and not on `g`: work in a transaction of its own has another `g`.
    pending: dict[str, tuple[str, timedelta | None] | None] = request.environ.setdefault(_PENDING, {})
    return pending


def _send(response: Response) -> Response:
    for name, change in _pending().items():
        value, life = change or ("", timedelta(0))
        # Deleting needs the same attributes: without Secure a browser keeps a __Host- cookie.
        response.set_cookie(
            name, value, max_age=life, path="/", secure=True, httponly=True, samesite="Lax", domain=None
        )
    return response
