"""Pages leave compressed, wherever the length of the answer can't be made to tell a secret.

The attack (BREACH): another site makes a browser ask for a page over and over, each time with a guess that the page
repeats, and reads from the length of the answer whether the guess is in it. Two things stand against it. Form tokens
are masked anew on every page (csrf.py). And a page of a tenant or of the console, which holds records beside what was
searched for, is compressed only when the browser vouches that no other site had a hand in the request; the public
site holds no secret but the masked token. Each answer is besides made longer by a random amount.
"""

from __future__ import annotations

import secrets
import struct
import zlib

from flask import Flask, Response, request

from qikbiz.web.request_context import DESTINATION, destination

COMPRESSIBLE = frozenset(
    {
        "text/html",
        "text/plain",
        "text/markdown",
        "application/json",
        "application/problem+json",
        "application/rss+xml",
        "application/manifest+json",
    }
)
# Below this the packet is as good as empty anyway.
LEAST_BYTES = 1_000
# A page of 60 kB takes 0.7 ms; the levels above it save a twentieth more and take twice as long.
LEVEL = 5
MOST_PADDING = 100


def register(app: Flask) -> None:
    app.after_request(compress)


def compress(response: Response) -> Response:
    """Replace the body by its gzip where that is asked for, safe and worth it."""
    if not _is_compressible(response):
        return response
    response.vary.add("Accept-Encoding")
    if request.accept_encodings["gzip"] <= 0 or not is_safe_to_compress():
        return response
    body = response.get_data()
    if len(body) < LEAST_BYTES:
        return response
    response.set_data(padded_gzip(body))
    response.headers["Content-Encoding"] = "gzip"
    if response.headers.get("ETag"):
        # The same resource in another form is not byte for byte the same (RFC 9110, 8.8.3).
        response.set_etag(response.get_etag()[0] or "", weak=True)
    return response


def is_safe_to_compress() -> bool:
    """Whether no other site can have made this request with something of ours in it to be guessed at."""
    if DESTINATION not in request.environ or destination().surface not in ("tenant", "console"):
        return True
    return request.headers.get("Sec-Fetch-Site") in ("same-origin", "none")


def padded_gzip(body: bytes) -> bytes:
    """`body` as gzip (RFC 1952) with a file name of random length, which every reader skips."""
    name = secrets.token_hex(MOST_PADDING)[: secrets.randbelow(MOST_PADDING)].encode()
    packed = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    head = b"\x1f\x8b\x08\x08" + struct.pack("<L", 0) + b"\x00\xff" + name + b"\x00"
    tail = struct.pack("<LL", zlib.crc32(body), len(body) & 0xFFFFFFFF)
    return head + packed.compress(body) + packed.flush() + tail


def _is_compressible(response: Response) -> bool:
    return (
        response.status_code >= 200
        and response.status_code not in (204, 206, 304)
        and request.method != "HEAD"
        and not response.is_streamed
        and not response.direct_passthrough
        and "Content-Encoding" not in response.headers
        and "no-transform" not in response.headers.get("Cache-Control", "")
        and response.mimetype in COMPRESSIBLE
    )
