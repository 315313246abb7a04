"""The public pages, and the small files that programs look for at well-known places."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Blueprint, Response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from qikbiz.database import runtime
from qikbiz.permissions import public
from qikbiz.site.forms import slug_from
from qikbiz.web.assets import asset_url

site = Blueprint("site", __name__, template_folder="templates")


@site.get("/")
@public
def home() -> str:
    return render_template("site/home.html")


@site.get("/privacy")
@public
def privacy() -> str:
    return render_template("site/privacy.html")


@site.get("/sign-in")
@public
def sign_in() -> ResponseReturnValue:
    settings = runtime().settings
    typed = request.args.get("organisation", "")
    slug = slug_from(typed, settings.base_domain)
    if slug:
        # Straight there, without asking whether it exists: this page must not tell who our customers are.
        return redirect(settings.origin(f"{slug}.{settings.base_domain}") + "/login")
    error = "Use letters, digits and hyphens, as in the address of your workspace." if typed else ""
    page = render_template("site/sign_in.html", typed=typed, error=error, base_domain=settings.base_domain)
    return page, 400 if error else 200


@site.get("/robots.txt")
@public
def robots() -> Response:
    return _text("User-agent: *\nAllow: /$\nAllow: /privacy\nAllow: /static/\nDisallow: /\n")


@site.get("/.well-known/security.txt")
@public
def security() -> Response:
    """RFC 9116. Expires is always half a year ahead, as section 2.5.5 advises less than a year."""
    settings = runtime().settings
    expires = (datetime.now(UTC) + timedelta(days=180)).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = (
        f"Contact: mailto:security@{settings.base_domain}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: en",
        f"Canonical: {settings.origin(settings.base_domain)}/.well-known/security.txt",
    )
    return _text("\n".join(lines) + "\n")


@site.get("/favicon.ico")
@public
def favicon() -> ResponseReturnValue:
    return redirect(asset_url("favicon-blue.svg"))


def _text(text: str) -> Response:
    return Response(text, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "public, max-age=3600"})
