"""Where a user may be redirected after signing in: only to a path of this same host, or a link could lead elsewhere."""

from __future__ import annotations

import unicodedata
from urllib.parse import SplitResult, urlsplit

_LONGEST = 2_000
_NEVER = ("/login", "/logout", "/confirm")


def own_path(given: str | None, default: str = "/") -> str:
    """`given` if it is a plain path of ours, else `default`."""
    if not given or len(given) > _LONGEST or not given.startswith("/") or given.startswith("//"):
        return default
    if "\\" in given or any(unicodedata.category(character).startswith("C") for character in given):
        return default
    try:
        parts = urlsplit(given)
    except ValueError:
        return default
    if parts.scheme or parts.netloc or parts.path.rstrip("/") in _NEVER or parts.path.startswith("/login/"):
        return default
    return given


def split_address(text: str) -> SplitResult:
    """The parts of an address that a browser claims. One that makes no sense, such as `https://[`, has none."""
    try:
        return urlsplit(text)
    except ValueError:
        return urlsplit("")
