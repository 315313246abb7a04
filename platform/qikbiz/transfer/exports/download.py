"""Handing out an export's file: decrypted on the way, in constant memory, resumable (RFC 9110 section 14)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from flask import Response, request

from qikbiz.files.store import StoredFile
from qikbiz.transfer.exports.models import Export
from tenants.context import current_tenant


@dataclass(frozen=True)
class Piece:
    """Bytes `start` up to but not including `end`. `is_part` when a range was asked for and is given."""

    start: int
    end: int
    is_part: bool = False


class RangeNotThere(Exception):
    """The range asked for lies outside of the file."""


def wanted_piece(size: int, etag: str) -> Piece:
    """What the request at hand asks for. A range is given only of the very file that `If-Range` names.

    Several ranges at once, and what can't be understood, are answered with the whole file, as the RFC allows.
    Raises RangeNotThere.
    """
    asked = request.range
    whole = Piece(0, size)
    if request.method != "GET" or asked is None or asked.units != "bytes" or len(asked.ranges) != 1:
        return whole
    if request.headers.get("If-Range") and request.if_range.etag != etag:
        return whole
    found = asked.range_for_length(size)
    if found is None or found[0] is None or found[1] is None:
        raise RangeNotThere
    return Piece(found[0], found[1], is_part=True)


def file_response(export: Export, stored: StoredFile, piece: Piece) -> Response:
    """The file or a piece of it. HEAD gets the headers alone."""
    body: Iterator[bytes] = iter(())
    if request.method == "GET":
        body = stored.read(piece.start, piece.end - piece.start)
    response = Response(body, 206 if piece.is_part else 200, mimetype="application/zip")
    response.headers["Content-Length"] = str(piece.end - piece.start)
    if piece.is_part:
        response.headers["Content-Range"] = f"bytes {piece.start}-{piece.end - 1}/{stored.size}"
    return _with_headers(response, export)


def no_such_range(export: Export, stored: StoredFile) -> Response:
    response = Response("", 416, mimetype="text/plain")
    response.headers["Content-Range"] = f"bytes */{stored.size}"
    return _with_headers(response, export)


def download_name(export: Export) -> str:
    """`acme-contacts-spreadsheet-2026-11-22.zip`."""
    day = f"{export.snapshot_at:%Y-%m-%d}" if export.snapshot_at else "export"
    what = export.scope if export.scope == export.product else f"{export.scope}-{export.product}"
    return f"{current_tenant().slug}-{what}-{day}.zip"


def _with_headers(response: Response, export: Export) -> Response:
    name = download_name(export)
    response.set_etag(export.file_sha256 or "")
    response.headers["Accept-Ranges"] = "bytes"
    # RFC 6266: the plain form for old programs, the other for every letter.
    response.headers["Content-Disposition"] = f"attachment; filename=\"{name}\"; filename*=UTF-8''{quote(name)}"
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
