"""Texts for HTML, a whole column at once."""

from __future__ import annotations

import re
from collections.abc import Iterable

from markupsafe import escape

_special = re.compile("[&<>\"']").search


def safe_texts(texts: Iterable[str | None]) -> list[str]:
    """Each text escaped for HTML; nothing for None."""
    found = [text or "" for text in texts]
    return [str(escape(text)) for text in found] if _special("".join(found)) else found
