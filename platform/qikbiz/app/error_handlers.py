"""Every failure becomes a page that is part of the product, or a fragment, or JSON: mapped here and nowhere else."""

from __future__ import annotations

import logging
import math
from datetime import datetime
from urllib.parse import quote

from flask import Flask, Response, g, jsonify, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from psycopg.errors import (
    ConfigurationLimitExceeded,
    DeadlockDetected,
    LockNotAvailable,
    QueryCanceled,
    SerializationFailure,
)
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from qikbiz.app.permission_checks import LoginNeeded
from qikbiz.app.request_pipeline import page_transaction
from qikbiz.identity.accounts.principal import Anonymous
from qikbiz.identity.accounts.reauthentication import ConfirmationNeeded
from qikbiz.kernel import clock
from qikbiz.kernel.errors import Blocked, Failure
from qikbiz.kernel.full_disks import is_disk_full
from qikbiz.kernel.permissions import Permission
from qikbiz.security.ip_reputation.events import record_event
from qikbiz.trust.tickets.public_pages import block_page
from qikbiz.web.cookie_instructions import help_for, is_known
from qikbiz.web.cookies import SESSION
from qikbiz.web.csrf import CookiesRefused, CsrfFailed
from qikbiz.web.error_pages import render_error
from qikbiz.web.error_texts import TEXTS
from qikbiz.web.flash import has_waiting_toasts, show_toast
from qikbiz.web.formats import count
from qikbiz.web.request_context import destination, request_id
from qikbiz.web.resubmit import can_send_again, typed_fields
from qikbiz.web.safe_redirect import own_path, split_address
from qikbiz.web.viewer import chosen_theme
from qikbiz.web.visit_cookie import is_session_refused
from tenants.redis import RedisAway

logger = logging.getLogger(__name__)
_TOO_LONG = (ConfigurationLimitExceeded, QueryCanceled, LockNotAvailable, DeadlockDetected, SerializationFailure)
# Errors after which a user continues to work: with the navigation around them.
_IN_FRAME = frozenset({"forbidden", "not_found"})
_HTTP_KEYS = {
    401: "login_needed",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "timeout",
    409: "conflict",
    410: "gone",
    413: "too_large",
    429: "too_many",
    503: "unavailable",
}


def register(app: Flask) -> None:
    app.register_error_handler(Failure, on_failure)
    app.register_error_handler(HTTPException, on_http_exception)
    app.register_error_handler(RedisAway, on_redis_away)
    app.register_error_handler(DataError, on_unfit_value)
    app.register_error_handler(OperationalError, on_database_away)
    app.register_error_handler(PoolTimeout, on_database_away)
    app.register_error_handler(Exception, on_bug)


def on_failure(failure: Failure) -> ResponseReturnValue:
    if isinstance(failure, CookiesRefused) or _is_back_at_the_door(failure):
        # No sign of misuse: it counts against nobody's address.
        return _cookies_refused()
    if isinstance(failure, CsrfFailed):
        record_event("bad_csrf")
        logger.warning("csrf_failed", extra={"reason": type(failure).__name__})
    if isinstance(failure, LoginNeeded):
        return _to_login(failure)
    if isinstance(failure, ConfirmationNeeded):
        return _to("/confirm", failure)
    if type(failure) is CsrfFailed and can_send_again():
        return _send_again("errors/send_again.html", failure.status)
    if isinstance(failure, Blocked) and not _wants_json() and not request.headers.get("HX-Request"):
        return _blocked(failure)
    return _answer(failure.key, failure.status, _more_words(failure), retry_at=failure.retry_at)


def _blocked(failure: Blocked) -> Response:
    """A page with a form, which works while the address is blocked."""
    _ask_nobody_who_is_there()
    response = make_response(block_page(failure), failure.status)
    response.headers["Cache-Control"] = "no-store"
    if failure.retry_at is not None:
        response.headers["Retry-After"] = str(_seconds_until(failure.retry_at))
    return response


def on_http_exception(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    if code < 400:
        return error.get_response()
    response = _answer(_HTTP_KEYS.get(code, "bad_request" if code < 500 else "bug"), code)
    allowed = getattr(error, "valid_methods", None)
    if code == 405 and allowed:
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def on_redis_away(error: RedisAway) -> ResponseReturnValue:
    logger.warning("redis_away")
    return _retry_soon(_answer("redis_away", 503))


def on_database_away(error: Exception) -> ResponseReturnValue:
    if is_disk_full(error):
        return _disk_full(error)
    if isinstance(error, DBAPIError) and isinstance(error.orig, _TOO_LONG):
        return _answer("timeout", 503)
    logger.error("database_away", exc_info=error)
    return _retry_soon(_answer("database_away", 503))


def on_unfit_value(error: DataError) -> ResponseReturnValue:
    """Something was sent that no column holds, such as a text with a NUL or a number without end."""
    logger.warning("unfit_value", exc_info=error)
    return _answer("bad_request", 400)


def on_bug(error: Exception) -> ResponseReturnValue:
    if is_disk_full(error):
        return _disk_full(error)
    logger.error("bug", exc_info=error)
    return _answer("bug", 500)


def _disk_full(error: Exception) -> Response:
    logger.error("disk_full", exc_info=error)
    return _answer("disk_full", 507)


def _to_login(failure: LoginNeeded) -> ResponseReturnValue:
    if request.method not in ("GET", "HEAD", "OPTIONS") and can_send_again():
        # Nothing that a user typed is lost because the session ended.
        return _send_again("errors/logged_out.html", failure.status)
    if SESSION.name in request.cookies and not has_waiting_toasts():
        show_toast("Your session has ended. Sign in to continue.", kind="notice")
    return _to("/login", failure)


def _to(path: str, failure: Failure) -> ResponseReturnValue:
    """Send a page there and back; a fragment says so to htmx, everything else gets the status."""
    target = f"{path}?next={quote(_here(), safe='')}" if _here() != "/" else path
    if request.headers.get("HX-Request"):
        response = _answer(failure.key, failure.status)
        response.headers["HX-Redirect"] = target
        return response
    if _wants_json() or request.method == "OPTIONS":
        return _answer(failure.key, failure.status)
    return redirect(target, 303)


def _here() -> str:
    """The page that the person sees: this one, or the one whose form or fragment this is."""
    if request.method in ("GET", "HEAD") and not request.headers.get("HX-Request"):
        return own_path(request.full_path.rstrip("?"))
    shown = split_address(request.headers.get("HX-Current-URL") or request.referrer or "")
    if shown.netloc.lower() != request.environ.get("HTTP_HOST", "").lower():
        return "/"
    return own_path(shown.path + (f"?{shown.query}" if shown.query else ""))


def _more_words(failure: Failure) -> str:
    text = f"The reference of this block is {failure.text}." if isinstance(failure, Blocked) else failure.text
    if failure.retry_at is None:
        return text
    minutes = (_seconds_until(failure.retry_at) + 59) // 60
    return f"{text} You can try again in about {count(minutes, 'minute')}.".strip()


def _seconds_until(moment: datetime) -> int:
    return max(1, math.ceil((moment - clock.now()).total_seconds()))


def _answer(key: str, status: int, text: str = "", *, retry_at: datetime | None = None) -> Response:
    if key not in TEXTS:
        key = _HTTP_KEYS.get(status, "bad_request" if status < 500 else "bug")
    page = _page_in_frame(key, text) if key in _IN_FRAME else ""
    _ask_nobody_who_is_there()
    if page:
        response = make_response(page, status)
    elif _wants_json():
        response = make_response(_problem(key, status, text), status)
        response.content_type = "application/problem+json"
    elif request.headers.get("HX-Request"):
        response = make_response(_fragment(key, text), status)
    else:
        response = make_response(_page(key, text), status)
    response.headers["Cache-Control"] = "no-store"
    if retry_at is not None:
        response.headers["Retry-After"] = str(_seconds_until(retry_at))
    return response


def _ask_nobody_who_is_there() -> None:
    # The page of an error must not fail by looking, for its colours, into the database that has just failed.
    if "_login_user" not in g:
        g._login_user = Anonymous()


def _page_in_frame(key: str, text: str) -> str:
    """The page with navigation and search around it, for a signed-in user; "" where there is none."""
    where = destination()
    if where.surface not in ("tenant", "console") or _wants_json() or request.headers.get("HX-Request"):
        return ""
    try:
        if not current_user.is_authenticated:
            return ""
        with page_transaction():
            return render_template(
                "errors/in_frame.html",
                error=TEXTS[key],
                text=text,
                surface=where.surface,
                may_search=bool(current_user.can(Permission.WORKSPACE_SEE)),
                nav_active="",
            )
    except Exception:
        # The plain page needs nothing that may just have failed.
        logger.exception("frame_failed")
        return ""


def _problem(key: str, status: int, text: str) -> Response:
    """RFC 9457."""
    words = TEXTS.get(key, TEXTS["bug"])
    return jsonify(title=words.title, status=status, detail=text or words.happened, key=key, request_id=request_id())


def _page(key: str, text: str) -> str:
    where = destination()
    place = where.tenant.name if where.tenant else ""
    return render_error(key, request_id(), text=text, surface=where.surface, place=place, theme=chosen_theme())


def _fragment(key: str, text: str) -> str:
    return render_template("errors/fragment.html", words=TEXTS.get(key, TEXTS["bug"]), text=text)


def _is_back_at_the_door(failure: Failure) -> bool:
    """Just signed in, and again nobody: the page after the login came without the session's cookie."""
    return isinstance(failure, LoginNeeded) and request.method in ("GET", "HEAD") and is_session_refused()


def _cookies_refused() -> ResponseReturnValue:
    """A page instead of the login once more: signing in again would lead here again (P4)."""
    if _wants_json() or request.headers.get("HX-Request"):
        return _answer("cookies_refused", 403)
    user_agent = request.headers.get("User-Agent", "")
    page = render_template(
        "errors/cookies_refused.html",
        browsers=help_for(user_agent),
        is_known=is_known(user_agent),
        is_secure=request.is_secure or request.host.partition(":")[0].endswith("localhost"),
        again=f"/login?next={quote(_here(), safe='')}" if _here() != "/" else "/login",
    )
    response = make_response(page, 403)
    response.headers["Cache-Control"] = "no-store"
    return response


def _send_again(template: str, status: int) -> Response:
    fields, has_files = typed_fields()
    response = make_response(
        render_template(template, fields=fields, has_files=has_files, person=current_user, action=request.path), status
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _wants_json() -> bool:
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json"


def _retry_soon(response: Response) -> Response:
    response.headers["Retry-After"] = "5"
    return response
