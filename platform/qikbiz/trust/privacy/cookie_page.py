"""Every cookie that we set, generated from the registry through which all of them are set (P1). Public everywhere."""

from __future__ import annotations

from flask import Blueprint, Flask, render_template, request
from flask_login import current_user

from qikbiz.kernel.access import access
from qikbiz.kernel.permissions import Permission
from qikbiz.web.cookies import COOKIES
from qikbiz.web.request_context import destination


def register(app: Flask) -> None:
    for surface, name in (("site", "public_cookies"), ("tenant", "cookies")):
        app.register_blueprint(_blueprint(), name=name, subdomain=surface)


@access(Permission.PUBLIC)
def index() -> str:
    is_inside = destination().surface == "tenant" and current_user.is_authenticated
    layouts = {"site": "layout/site.html", "tenant": "layout/settings.html" if is_inside else "layout/plain.html"}
    return render_template(
        "privacy/cookies.html",
        layout=layouts[destination().surface],
        cookies=COOKIES,
        held={name for name in request.cookies if name},
        knows_browser=destination().surface == "tenant",
        nav_active="cookies",
    )


def _blueprint() -> Blueprint:
    page = Blueprint("cookies", __name__, template_folder="templates")
    page.add_url_rule("/cookies", "index", index)
    return page
