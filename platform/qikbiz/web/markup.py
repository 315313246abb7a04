"""The only place where Python makes HTML. Everything put into it is escaped by `Markup.format`."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

import nh3
import segno
from markupsafe import Markup

from qikbiz.web import assets


def icon(name: str, css_class: str = "icon") -> Markup:
    """One drawing of the sprite; decoration only, so the text beside it must say the same."""
    return _drawing(assets.asset_url("icons.svg"), name, css_class)


# A page has some forty of them.
@lru_cache(maxsize=1_000)
def _drawing(sprite: str, name: str, css_class: str) -> Markup:
    return Markup('<svg class="{}" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>').format(
        css_class, sprite, name
    )


def cleaned_html(html: str, styles: Mapping[str, str]) -> Markup:
    """HTML that was made from a user's text, with these tags only, links to pages and addresses, and these styles."""
    return Markup(  # safe because nh3 has cleaned it
        nh3.clean(
            html,
            tags=set(styles),
            attributes={"a": {"href"}},
            url_schemes={"http", "https", "mailto"},
            link_rel="noopener noreferrer",
            set_tag_attribute_values={tag: {"style": style} for tag, style in styles.items() if style},
        )
    )


def time_element(moment: datetime, *, text: str, exact: str, relative: bool) -> Markup:
    """A `<time>` with the exact moment on hover; a relative one is kept fresh by times.js."""
    keep_fresh = Markup(" data-relative") if relative else ""
    return Markup('<time datetime="{}" title="{}"{}>{}</time>').format(moment.isoformat(), exact, keep_fresh, text)


def square_code(text: str) -> Markup:
    """`text` as a square code (QR) for the camera of a phone: geometry only, which the library makes."""
    return Markup(segno.make(text, error="m", micro=False).svg_inline(svgclass="square-code", omitsize=True, border=3))
