"""The public pages."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from qikbiz.kernel.access import access
from qikbiz.kernel.database import runtime
from qikbiz.kernel.permissions import Permission
from qikbiz.site.forms import slug_from
from qikbiz.trust.privacy.queries import standing

site = Blueprint("site", __name__, template_folder="templates")


@site.get("/")
@access(Permission.PUBLIC)
def home() -> str:
    return render_template("site/home.html", standing=standing())


@site.get("/sign-in")
@access(Permission.PUBLIC)
def sign_in() -> ResponseReturnValue:
    settings = runtime().settings
    typed = request.args.get("organisation", "")
    slug = slug_from(typed, settings.base_domain)
    if slug:
        # Straight there, without asking whether it exists: this page must not tell who our customers are.
        return redirect(settings.origin(f"{slug}.{settings.base_domain}") + "/login")
    error = "Use letters, digits and hyphens, as in your workspace address." if typed else ""
    page = render_template("site/sign_in.html", typed=typed, error=error, base_domain=settings.base_domain)
    return page, 400 if error else 200
