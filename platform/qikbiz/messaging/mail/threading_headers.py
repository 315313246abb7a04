"""The headers that keep a mail in its thread and have its answer go to the right place (RFC 5322 3.6.4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from qikbiz.messaging.mail.unsubscribing import WholeLine

# These lines are never folded, and none may be longer (RFC 5322 2.1.1).
_LONGEST_LINE = 900
_ID = re.compile(r"<[^<>\s]{3,250}>")


def thread_headers(thread: Mapping[str, Any]) -> list[WholeLine]:
    """`thread` holds `reply_to` and `references`, the ids of earlier mails, the oldest first."""
    headers = [WholeLine.of("Reply-To", thread["reply_to"])] if thread.get("reply_to") else []
    known = [one for one in thread.get("references", []) if _ID.fullmatch(one)]
    if known:
        headers += [WholeLine.of("In-Reply-To", known[-1]), WholeLine.of("References", _fitting(known))]
    return headers


def _fitting(ids: list[str]) -> str:
    while len(" ".join(ids)) > _LONGEST_LINE:
        ids = ids[1:]
    return " ".join(ids)
