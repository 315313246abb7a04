"""The visit of a browser that is not signed in: what its forms are bound to, and whether it kept a sign-in.

The cookie holds sixteen random bytes and, right after a login, the moment of it. A browser that comes back with that
and without the session's cookie has refused it, and is told so instead of being sent to the login again (P4).
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from flask import request

from qikbiz.kernel import clock
from qikbiz.web.cookies import SESSION, VISIT, delete_cookie, open_cookie, set_cookie

_KEY, _HELD = "qikbiz.visit", "qikbiz.visit_held"
_RANDOM_BYTES = 16
_MOMENT_BYTES = 8
# From the answer to the login to the page that it leads to.
JUST = timedelta(seconds=60)


def visit(*, make: bool) -> bytes:
    """The random bytes of this visit; empty when there is none and none is to be made."""
    known: bytes = request.environ.get(_KEY, b"")
    if not known:
        known = _held()[:_RANDOM_BYTES]
    if not known and make:
        known = secrets.token_bytes(_RANDOM_BYTES)
        set_cookie(VISIT, known)
    request.environ[_KEY] = known
    return known


def record_login() -> None:
    """A session's cookie is about to be handed out. Nothing to note for a browser that has shown it keeps one."""
    known = visit(make=False)
    if known and SESSION.name not in request.cookies:
        set_cookie(VISIT, known + int(clock.now().timestamp()).to_bytes(_MOMENT_BYTES, "big"))


def end_session_cookie() -> None:
    """Have the browser forget its session, which will be missing rightly from now on."""
    delete_cookie(SESSION)
    if len(_held()) > _RANDOM_BYTES:
        set_cookie(VISIT, _held()[:_RANDOM_BYTES])


def is_session_refused() -> bool:
    """Whether this browser was signed in a moment ago and has not kept the session's cookie."""
    if SESSION.name in request.cookies:
        return False
    moment = _held()[_RANDOM_BYTES:]
    if len(moment) != _MOMENT_BYTES:
        return False
    return abs(clock.now().timestamp() - int.from_bytes(moment, "big")) < JUST.total_seconds()


def _held() -> bytes:
    if _HELD not in request.environ:
        opened = open_cookie(VISIT)
        request.environ[_HELD] = opened.plaintext if opened else b""
    found: bytes = request.environ[_HELD]
    return found
