"""A form is accepted only from a page that we made for the same session.

The token is a MAC of the session, or of a random visit before anyone is signed in. It is masked anew on every page, so
that compressed pages give nothing away.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets

from flask import Flask, request
from flask_login import current_user

from qikbiz.kernel.database import runtime
from qikbiz.kernel.errors import Forbidden
from qikbiz.web.client_address import came_over_tls
from qikbiz.web.cookies import GUEST, SESSION, VISIT
from qikbiz.web.safe_redirect import split_address
from qikbiz.web.visit_cookie import visit

FIELD = "csrf_token"
HEADER = "X-CSRF-Token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_PURPOSE = "csrf"
_BYTES = 16


class CsrfFailed(Forbidden):
    """The form's token is missing, old, or another session's."""

    status, key = 403, "csrf"


class CrossSite(CsrfFailed):
    """The request was made by a page of another site."""


class CookiesRefused(CsrfFailed):
    """The browser did not give back the cookie that its own form page had set."""

    key = "cookies_refused"


def register(app: Flask) -> None:
    app.add_template_global(csrf_token)


def csrf_token() -> str:
    """The token for a form of the current page; before login it also sets the visit's cookie."""
    mac = _macs()[0]
    mask = secrets.token_bytes(_BYTES)
    return base64.urlsafe_b64encode(mask + _xor(mask, mac)).decode("ascii")


def form_binding() -> bytes:
    """What forms of the current page are bound to: the session, or the visit of a browser that is not signed in."""
    return _binding(make_visit=True)


def check_csrf() -> None:
    """Raises CsrfFailed for an unsafe request that no page of ours sent."""
    if request.method in SAFE_METHODS:
        return
    if is_cross_site():
        raise CrossSite
    given = _unmasked(request.headers.get(HEADER) or request.form.get(FIELD) or "")
    if given is not None and any([hmac.compare_digest(mac, given) for mac in _macs(make_visit=False)]):
        return
    if given is not None and not any(cookie.name in request.cookies for cookie in (SESSION, VISIT, GUEST)):
        raise CookiesRefused
    raise CsrfFailed


def is_cross_site() -> bool:
    """Whether the browser says that another site's page made this request. Sibling subdomains count as others."""
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        return True
    origin = request.headers.get("Origin")
    return origin is not None and not _is_own_origin(origin)


def _is_own_origin(origin: str) -> bool:
    # The scheme too: a page that came in the clear may be anybody's who sits in between.
    claimed = split_address(origin)
    is_encrypted = came_over_tls(request.environ, runtime().settings.trusted_proxies)
    return claimed.scheme == ("https" if is_encrypted else "http") and (
        claimed.netloc.lower() == request.environ.get("HTTP_HOST", "").lower()
    )


def is_surely_ours() -> bool:
    """Whether the browser vouches that a page of this very origin made the request."""
    return not is_cross_site() and ("Origin" in request.headers or "Sec-Fetch-Site" in request.headers)


def _macs(*, make_visit: bool = True) -> tuple[bytes, ...]:
    binding = _binding(make_visit=make_visit)
    if not binding:
        return ()
    return tuple(mac[:_BYTES] for mac in runtime().settings.keys.macs(_PURPOSE, binding))


def _binding(*, make_visit: bool) -> bytes:
    if current_user and current_user.is_authenticated:
        return b"session|" + bytes(current_user.form_key)
    known = visit(make=make_visit)
    return b"visit|" + known if known else b""


def _unmasked(token: str) -> bytes | None:
    try:
        raw = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return None
    return _xor(raw[:_BYTES], raw[_BYTES:]) if len(raw) == 2 * _BYTES else None


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
