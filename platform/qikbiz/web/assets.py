"""The pages' own files: fingerprinted, compressed beforehand, kept by browsers for a year.

`python -m provisioning.assets build` makes them; this module only names and serves them. They are served before Flask,
so that a suspended tenant, an unknown host and a page about a lost database still look as they should.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.wrappers import Request, Response
from werkzeug.wsgi import wrap_file

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

DIST = Path(__file__).parent / "static" / "dist"
PREFIX = "/static/"
# For an address that names its content: another content has another address.
KEPT_FOR_EVER = "public, max-age=31536000, immutable"
MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))


class AssetsNotBuilt(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(f"The pages' file {name!r} is missing. Run `make assets`.")


class StaticFiles:
    """Answers /static/… by itself and hands everything else on."""

    def __init__(self, application: WSGIApplication) -> None:
        self._application = application

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if not environ.get("PATH_INFO", "").startswith(PREFIX):
            return self._application(environ, start_response)
        return file_response(Request(environ))(environ, start_response)


def register(app: Flask) -> None:
    app.wsgi_app = StaticFiles(app.wsgi_app)  # type: ignore[method-assign]  # Flask documents this way of wrapping
    app.add_template_global(asset_url)


def asset_url(name: str) -> str:
    """The address of a file by its plain name: `app.css` is `/static/app-4F2A90C1.css`."""
    try:
        return PREFIX + manifest()[name]
    except KeyError as error:
        raise AssetsNotBuilt(name) from error


def manifest() -> dict[str, str]:
    """Plain name → fingerprinted name. A build is seen within a second, so that a running program needs no restart."""
    try:
        # Forty times a page: not even a look at the file's time each.
        return _read_manifest(DIST, int(monotonic()))
    except FileNotFoundError as error:
        raise AssetsNotBuilt("manifest.json") from error


@lru_cache(maxsize=1)
def _read_manifest(folder: Path, _second: int) -> dict[str, str]:
    names: dict[str, str] = json.loads((folder / "manifest.json").read_text())
    return names


def file_response(request: Request) -> Response:
    name = request.path.removeprefix(PREFIX)
    # Only names that the build wrote down are ever opened, so no path can lead elsewhere.
    if request.method not in ("GET", "HEAD") or name not in _servable():
        return Response("There is no such file.\n", 404, content_type="text/plain; charset=utf-8")
    encoding, suffix = _best_encoding(request, name)
    response = _whole_file(request, DIST / (name + suffix), MEDIA_TYPES[Path(name).suffix])
    response.headers["Cache-Control"] = KEPT_FOR_EVER
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.vary.add("Accept-Encoding")
    if encoding:
        response.content_encoding = encoding
    return response


def _servable() -> frozenset[str]:
    try:
        return frozenset(manifest().values())
    except AssetsNotBuilt:
        return frozenset()


def _best_encoding(request: Request, name: str) -> tuple[str, str]:
    for encoding, suffix in ENCODINGS:
        if request.accept_encodings.quality(encoding) > 0 and (DIST / (name + suffix)).is_file():
            return encoding, suffix
    return "", ""


def _whole_file(request: Request, path: Path, media_type: str) -> Response:
    length = path.stat().st_size
    response = Response(
        wrap_file(request.environ, path.open("rb")),  # the server closes it after the last byte
        mimetype=media_type,
        direct_passthrough=True,
    )
    response.content_length = length
    return response
