"""Every failure becomes a page that is part of the product, or a fragment, or JSON: mapped here and nowhere else."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, Response, make_response, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from qikbiz.failures import Failure
from qikbiz.web.front_door import LoginNeeded, destination, request_id
from tenants.redis import RedisAway

logger = logging.getLogger(__name__)
_HTTP_KEYS = {
    400: "bad_request",
    401: "login_needed",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "timeout",
    409: "conflict",
    410: "gone",
    413: "too_large",
    415: "bad_request",
    429: "too_many",
    431: "bad_request",
    503: "unavailable",
}


def register(app: Flask) -> None:
    app.register_error_handler(Failure, on_failure)
    app.register_error_handler(HTTPException, on_http_exception)
    app.register_error_handler(RedisAway, on_redis_away)
    app.register_error_handler(OperationalError, on_database_away)
    app.register_error_handler(PoolTimeout, on_database_away)
    app.register_error_handler(Exception, on_bug)


def on_failure(failure: Failure) -> ResponseReturnValue:
    if isinstance(failure, LoginNeeded) and not request.headers.get("HX-Request"):
        return _to_login()
    response = _page(failure.key, failure.status, failure.text)
    if failure.retry_at is not None:
        response.headers["Retry-After"] = failure.retry_at.strftime("%a, %d %b %Y %H:%M:%S GMT")
    return response


def on_http_exception(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    if code < 400:
        return error.get_response()
    response = _page(_HTTP_KEYS.get(code, "bad_request" if code < 500 else "bug"), code)
    if code == 405 and getattr(error, "valid_methods", None):
        response.headers["Allow"] = ", ".join(error.valid_methods)  # type: ignore[attr-defined]  # MethodNotAllowed
    return response


def on_redis_away(error: RedisAway) -> ResponseReturnValue:
    logger.warning("redis_away")
    return _retry_soon(_page("redis_away", 503))


def on_database_away(error: Exception) -> ResponseReturnValue:
    if isinstance(error, DBAPIError) and error.orig is not None and getattr(error.orig, "sqlstate", None) == "57014":
        return _page("timeout", 503)
    logger.error("database_away", exc_info=error)
    return _retry_soon(_page("database_away", 503))


def on_bug(error: Exception) -> ResponseReturnValue:
    logger.error("bug", exc_info=error)
    return _page("bug", 500)


def _to_login() -> ResponseReturnValue:
    here = request.full_path.rstrip("?") if request.method == "GET" else "/"
    from urllib.parse import quote

    return redirect(f"/login?next={quote(here, safe='')}" if here != "/" else "/login")


def _page(key: str, status: int, text: str = "", **more: Any) -> Response:
    from qikbiz.web.error_pages import render_error

    response = make_response(render_error(key, request_id(), text=text, surface=destination().surface, **more), status)
    response.headers["Cache-Control"] = "no-store"
    return response


def _retry_soon(response: Response) -> Response:
    response.headers["Retry-After"] = "5"
    return response
