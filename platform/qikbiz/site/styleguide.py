"""Every part of the design on sample pages, for ourselves. Registered only outside production."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from types import SimpleNamespace

from flask import Blueprint, abort, current_app, request
from flask.typing import ResponseReturnValue
from jinja2 import Environment

from qikbiz.kernel import clock
from qikbiz.kernel.accents import ACCENTS
from qikbiz.kernel.access import access
from qikbiz.kernel.errors import NotFound
from qikbiz.kernel.permissions import Permission
from qikbiz.web.error_pages import render_error
from qikbiz.web.error_texts import TEXTS

styleguide = Blueprint("styleguide", __name__, template_folder="templates", url_prefix="/styleguide")

PAGES = ("parts", "list", "record", "form", "wizard", "job", "empty", "login", "console")
ACTIVE = {"list": "contacts", "record": "contacts", "form": "contacts", "wizard": "imports"}
PEOPLE: tuple[tuple[str, str, str, list[str], int, int], ...] = (
    ("Ann Lee", "ann.lee@northwind.example", "Northwind Traders", ["VIP", "Partner"], 12, 2),
    ("Bartholomew Featherstonehaugh-Cholmondeley", "b@featherstonehaugh.example", "Cholmondeley & Sons", [], 1, 40),
    ("Chiara Rossi", "chiara.rossi@officine.example", "Officine Meccaniche Rossi", ["Supplier"], 1204, 300),
    ("Đặng Thùy Linh", "linh@saigon.example", "", ["Press"], 0, 5_000),
    ("Emeka Okafor", "emeka@lagosports.example", "Lagos Ports Authority", ["VIP"], 33, 90_000),
    ("Freya Lindqvist", "", "Lindqvist AB", [], 7, 400_000),
    ("Gustavo Pérez", "gustavo@perez.example", "Pérez Hermanos", ["Supplier", "Partner", "VIP"], 210, 2_000_000),
    ("王秀英", "xiuying@shenzhen.example", "Shenzhen Optics", [], 5, 9_000_000),
)


@styleguide.get("/")
@styleguide.get("/<page>")
@access(Permission.PUBLIC)
def show(page: str = "parts") -> str:
    if page not in PAGES:
        abort(404)
    return _environment().get_template(f"site/styleguide/{page}.html").render(**_samples(page))


@styleguide.get("/error/<key>")
@access(Permission.PUBLIC)
def error(key: str) -> ResponseReturnValue:
    if key not in TEXTS:
        raise NotFound
    return render_error(key, "0f3c9a77d1e2"), TEXTS[key].status


def _environment() -> Environment:
    """The product's templates without its sessions: a sample form needs no real token."""
    environment = current_app.jinja_env.overlay()
    environment.globals = {**environment.globals, "csrf_token": lambda: "sample"}
    return environment


def _samples(page: str) -> dict[str, object]:
    """What the request pipeline would give to a real page."""
    entries = [
        SimpleNamespace(key=label.lower(), label=label, short_label=label, icon=icon, endpoint=f"/styleguide/{target}")
        for label, icon, target in (
            ("Home", "home", "parts"),
            ("Contacts", "users", "list"),
            ("Companies", "building", "record"),
            ("Imports", "table-import", "wizard"),
            ("Exports", "download", "job"),
            ("Trash", "trash", "empty"),
        )
    ]
    settings = [
        SimpleNamespace(key=label.lower(), label=label, short_label=label, icon=icon, endpoint="/styleguide/form")
        for label, icon in (("Users", "user-shield"), ("Audit", "clipboard-list"))
    ]
    return {
        "tenant": SimpleNamespace(name="Acme Trading", slug="acme", logo="", accent=_one_of(ACCENTS, "accent", "blue")),
        "current_user": SimpleNamespace(name="Alice Archer", email="alice@acme.example", can=lambda _right: True),
        "tenant_navigation": lambda: entries,
        "settings_navigation": lambda: settings,
        "settings_groups": lambda: [("People", settings[:1]), ("Privacy", settings[1:])],
        "console_navigation": _console_entries,
        "endpoint_exists": lambda name: False,
        # The entries of these sidebars name their addresses themselves.
        "path_of": lambda address: address,
        "chosen_theme": lambda: _one_of(("auto", "light", "dark"), "theme", "auto"),
        "people": [_person(row) for row in PEOPLE if request.args.get("q", "").lower() in row[0].lower()],
        "q": request.args.get("q", ""),
        "now": clock.now(),
        "hours": lambda hours: clock.now() - timedelta(hours=hours),
        "pages": PAGES,
        "error_keys": sorted(TEXTS),
        "nav_active": ACTIVE.get(page, page),
    }


def _one_of(known: Collection[str], name: str, otherwise: str) -> str:
    asked = request.args.get(name, "")
    return asked if asked in known else otherwise


def _console_entries() -> list[SimpleNamespace]:
    names = (("Tenants", "building-skyscraper"), ("Jobs", "activity"), ("Emails", "mail"), ("IP addresses", "shield-x"))
    return [
        SimpleNamespace(key=name.lower(), label=name, short_label=name, icon=icon, endpoint="/styleguide/console")
        for name, icon in names
    ]


def _person(row: tuple[str, str, str, list[str], int, int]) -> dict[str, object]:
    name, email, company, tags, deals, seconds = row
    changed = clock.now() - timedelta(seconds=seconds)
    return {"name": name, "email": email, "company": company, "tags": tags, "deals": deals, "changed": changed}
