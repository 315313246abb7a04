"""Values as HTML: the pieces of cells and facts. Every text passes `safe_texts` or `Markup.format`, which escape it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

from qikbiz.web.formats import hue

_special = re.compile("[&<>\"']").search
_LINK = Markup('<a href="{}">{}</a>')
# Tells its target nothing about where it was clicked.
_OUTWARD_LINK = Markup('<a href="{}" rel="noopener noreferrer nofollow">{}</a>')
_AS_TYPED = Markup('<span class="as-typed">{}</span>')


def safe_texts(texts: Iterable[str | None]) -> list[str]:
    """Each text escaped for HTML; nothing for None."""
    found = [text or "" for text in texts]
    return [str(escape(text)) for text in found] if _special("".join(found)) else found


def link(href: str, text: str) -> Markup:
    """A link inside the product, or to a program that sends mail or calls a number."""
    return _LINK.format(href, text)


def outward_link(href: str, text: str) -> Markup:
    """A link to another site."""
    return _OUTWARD_LINK.format(href, text)


def as_typed(text: str) -> Markup:
    """Text with its line breaks."""
    return _AS_TYPED.format(text) if text else Markup()


def drawn_tags(tags: Sequence[str] | None) -> str:
    """Tags as HTML, for a cell that is put together of texts."""
    if not tags:
        return ""
    chips = zip(tags, safe_texts(tags), strict=True)
    drawn = "".join([f'<span class="tag tag-{hue(tag)}">{text}</span>' for tag, text in chips])
    return f'<span class="tags">{drawn}</span>'


def tag_chips(tags: Sequence[str] | None) -> Markup:
    return Markup(drawn_tags(tags))
