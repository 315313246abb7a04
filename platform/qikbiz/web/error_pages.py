"""Error pages, made without database, Redis, session or Flask, and plain but readable even without our own files."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from qikbiz.web.assets import AssetsNotBuilt, asset_url
from qikbiz.web.error_texts import TEXTS

TEMPLATES = Path(__file__).parent / "templates"


def render_error(
    key: str, request_id: str, *, text: str = "", surface: str = "", place: str = "", theme: str = "auto"
) -> str:
    """The page for one of `TEXTS`. A failure without a page of its own shows its `text`, or is our mistake.

    `text` is a further sentence about this very case, `place` the name shown at the top.
    """
    error = TEXTS.get(key) or TEXTS["bad_request" if text else "bug"]
    brand = place or ("QikBiz console" if surface == "console" else "QikBiz CRM")
    template = _environment().get_template("errors/error.html")
    return template.render(
        error=error,
        request_id=request_id,
        text=text,
        brand=brand,
        own_brand=not place,
        theme=theme,
        stylesheet=_asset_if_built("app.css"),
        favicon=_asset_if_built("favicon-graphite.svg"),
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _asset_if_built(name: str) -> str:
    try:
        return asset_url(name)
    except AssetsNotBuilt:
        return ""
