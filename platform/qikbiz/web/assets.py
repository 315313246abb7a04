"""The pages' own files: fingerprinted, compressed beforehand, kept by browsers for a year.

`python -m provisioning.assets build` makes them; this module only names and serves them.
"""

import json
from functools import cache
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, request, send_from_directory, url_for

from qikbiz.permissions import public

DIST = Path(__file__).parent / "static" / "dist"
FOR_A_YEAR = 31_536_000
MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))

files = Blueprint("assets", __name__)


class AssetsNotBuilt(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(f"No {name!r} in {DIST}. Run `make assets`.")


def register(app: Flask) -> None:
    app.register_blueprint(files)
    app.add_template_global(asset_url)


def asset_url(name: str) -> str:
    """The address of a file by its plain name: `app.css` is `/static/app-4F2A90C1.css`."""
    return url_for("assets.file", name=fingerprinted_name(name))


def fingerprinted_name(name: str) -> str:
    try:
        return manifest()[name]
    except KeyError as error:
        raise AssetsNotBuilt(name) from error


@cache
def manifest() -> dict[str, str]:
    try:
        names: dict[str, str] = json.loads((DIST / "manifest.json").read_text())
    except FileNotFoundError as error:
        raise AssetsNotBuilt("manifest.json") from error
    return names


@files.get("/static/<name>")
@public
def file(name: str) -> Response:
    media_type = MEDIA_TYPES.get(Path(name).suffix)
    if media_type is None:
        abort(404)
    encoding, suffix = _best_encoding(name)
    response = send_from_directory(DIST, name + suffix, mimetype=media_type, max_age=FOR_A_YEAR)
    response.cache_control.public = True
    response.cache_control.immutable = True
    response.vary.add("Accept-Encoding")
    if encoding:
        response.content_encoding = encoding
    return response


def _best_encoding(name: str) -> tuple[str, str]:
    for encoding, suffix in ENCODINGS:
        if request.accept_encodings.quality(encoding) > 0 and (DIST / (name + suffix)).is_file():
            return encoding, suffix
    return "", ""
