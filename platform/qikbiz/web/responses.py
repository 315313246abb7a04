"""What every response carries: the headers that protect it, its reference, and one line in the log."""

from __future__ import annotations

import logging
import time

from flask import Flask, Response, g, request

from config.logging import add_context
from qikbiz.kernel.database import runtime
from qikbiz.web.request_context import DESTINATION, destination, request_id
from tenants.context import tenant_or_none

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
logger = logging.getLogger("qikbiz.request")


def register(app: Flask) -> None:
    app.before_request(_start_clock)
    app.after_request(protect)
    app.after_request(_log)
    add_context(_log_context)


def protect(response: Response) -> Response:
    """Set what is not already set; private pages are never stored."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    settings = runtime().settings
    # Never in development: a browser would keep every other program on localhost to TLS for a year.
    if settings.environment != "development" and "https" in (request.scheme, settings.public_scheme):
        headers.setdefault("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
    if destination().surface in ("tenant", "console"):
        headers.setdefault("Cache-Control", "private, no-store")
        # What is everybody's is the same with any cookie.
        if not response.cache_control.public:
            response.vary.add("Cookie")
    headers["X-Request-Id"] = request_id()
    return response


def _start_clock() -> None:
    g.started = time.perf_counter()


def _log(response: Response) -> Response:
    started = g.get("started")
    if request.path in ("/healthz", "/readyz", "/metrics") and response.status_code == 200:
        return response
    fields = {
        "method": request.method,
        "route": str(request.url_rule) if request.url_rule else None,
        "status": response.status_code,
        "milliseconds": round((time.perf_counter() - started) * 1000, 1) if started else None,
        "surface": destination().surface,
    }
    logger.info("request", extra=fields)
    return response


def _log_context() -> dict[str, object]:
    # Only ids: a log holds no personal data.
    tenant = tenant_or_none()
    if request and DESTINATION in request.environ:
        tenant = destination().tenant
    line: dict[str, object] = {"tenant": str(tenant.id)} if tenant else {}
    if request:
        line["request_id"] = request_id()
        line["user_id"] = g.get("person_id")
    return line


__all__ = ["CONTENT_SECURITY_POLICY", "protect", "register", "runtime"]
