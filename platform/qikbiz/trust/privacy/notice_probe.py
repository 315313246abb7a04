"""The daily probe: ask for the public notice as any visitor would, and say whether it stood there, word for word."""

from __future__ import annotations

import hashlib
import html
import re
from dataclasses import dataclass

from config.settings import Settings
from qikbiz.kernel.deadline import Deadline, OutOfTime
from qikbiz.kernel.http_client import OWN_SITE, BadAddress, NotAnswered, fetch
from qikbiz.trust.privacy.queries import Version

# For each of the two pages, from the question to the last byte.
SECONDS = 20.0
_LARGEST_PAGE = 2 * 1024 * 1024
_MOST_REDIRECTS = 5
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True)
class Look:
    """What was seen. `page_sha256` is of the page with the announced text, "" when none came."""

    stood: bool
    page_sha256: str
    remark: str


def look_at_notice(settings: Settings, version: Version) -> Look:
    """Fetch the announced text and the front page with its banner, from the address that the public uses."""
    site = settings.public_url or settings.origin(settings.base_domain)
    try:
        page = _fetched(f"{site}/privacy/versions/{version.number}")
        front = _fetched(f"{site}/")
    except OutOfTime:
        return Look(False, "", f"The site took longer than {SECONDS:.0f} seconds to answer.")
    except (BadAddress, NotAnswered) as error:
        return Look(False, "", f"The site could not be read: {error}")
    remark = _what_is_missing(page, front, version)
    return Look(not remark, hashlib.sha256(page).hexdigest(), remark or "The notice stood.")


def _what_is_missing(page: bytes, front: bytes, version: Version) -> str:
    words = _words_of(page)
    # Headings too: under another heading the same sentence can say something else.
    lacking = [block.number or f"“{block.text[:40]}”" for block in version.text.blocks if block.text not in words]
    if lacking:
        return f"The page of version {version.number} lacks {', '.join(lacking[:20])}."
    if version.sha256 not in words:
        return f"The page of version {version.number} does not show its hash."
    if b'class="announcement"' not in front:
        return "The front page has no banner."
    return ""


def _words_of(page: bytes) -> str:
    return " ".join(html.unescape(_TAG.sub("", page.decode("utf-8", "replace"))).split())


def _fetched(address: str) -> bytes:
    asked = {"User-Agent": "QikBiz-notice-probe"}
    deadline = Deadline(SECONDS)
    return fetch(address, OWN_SITE, deadline, headers=asked, longest=_LARGEST_PAGE, redirects=_MOST_REDIRECTS).body
