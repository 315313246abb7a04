"""Reading what a visitor types as the address of the organisation."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def slug_from(typed: str, base_domain: str) -> str | None:
    """`acme`, `Acme.qikbiz.example` and a pasted link all give `acme`; anything else None.

    Whether such an organisation exists is not asked: the answer must not tell.
    """
    text = typed.strip().lower()
    host = urlsplit(text if "//" in text else f"//{text}").netloc.rpartition("@")[2].partition(":")[0].rstrip(".")
    slug = host.removesuffix(f".{base_domain}")
    return slug if _SLUG.fullmatch(slug) else None
