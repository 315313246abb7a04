"""Reading what a visitor types as the address of the organisation."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def slug_from(typed: str, base_domain: str) -> str | None:
    """`acme`, `Acme.qikbiz.example` and a pasted link all give `acme`; anything else None.

    Whether such an organisation exists is not asked: the answer must not tell.
    """
    host = _host(typed.strip().lower())
    slug = host.removesuffix(f".{base_domain}")
    return slug if _SLUG.fullmatch(slug) else None


def _host(text: str) -> str:
    if any(character.isspace() for character in text):
        return ""
    try:
        place = urlsplit(text if "//" in text else f"//{text}").netloc
    except ValueError:
        return ""
    return place.rpartition("@")[2].partition(":")[0].rstrip(".")
