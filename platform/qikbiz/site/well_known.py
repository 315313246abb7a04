"""What programs look for on every host: robots.txt, favicon.ico and the addresses of RFC 8615."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Flask, Response, redirect
from flask.typing import ResponseReturnValue

from qikbiz.kernel import clock
from qikbiz.kernel.access import access
from qikbiz.kernel.database import runtime
from qikbiz.kernel.permissions import Permission
from qikbiz.web.assets import asset_url
from qikbiz.web.request_context import destination

PUBLIC_PATHS = ("/$", "/privacy", "/promises", "/cookies", "/static/")
ROBOTS = {"site": "User-agent: *\n" + "".join(f"Allow: {path}\n" for path in PUBLIC_PATHS) + "Disallow: /\n"}
NOBODY = "User-agent: *\nDisallow: /\n"


def register(app: Flask) -> None:
    for surface in ("site", "tenant", "console"):
        app.register_blueprint(_blueprint(surface), name=f"well_known_{surface}", subdomain=surface)


@access(Permission.PUBLIC)
def robots() -> Response:
    return _text(ROBOTS.get(destination().surface, NOBODY))


@access(Permission.PUBLIC)
def security() -> Response:
    """RFC 9116. Expires is always half a year ahead; section 2.5.5 advises less than a year."""
    settings = runtime().settings
    expires = (clock.now() + timedelta(days=180)).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = (
        f"Contact: mailto:security@{settings.base_domain}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: en",
        f"Canonical: {settings.origin(settings.base_domain)}/.well-known/security.txt",
    )
    return _text("\n".join(lines) + "\n")


@access(Permission.PUBLIC)
def favicon() -> ResponseReturnValue:
    return redirect(asset_url("favicon-blue.svg"))


@access(Permission.PUBLIC)
def change_password() -> ResponseReturnValue:
    """Where password managers send people (W3C, A Well-Known URL for Changing Passwords)."""
    return redirect("/profile/password")


def _blueprint(surface: str) -> Blueprint:
    files = Blueprint("well_known", __name__)
    files.add_url_rule("/robots.txt", view_func=robots)
    files.add_url_rule("/favicon.ico", view_func=favicon)
    files.add_url_rule("/.well-known/security.txt", view_func=security)
    if surface != "site":
        files.add_url_rule("/.well-known/change-password", view_func=change_password)
    return files


def _text(text: str) -> Response:
    return Response(text, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "public, max-age=3600"})
