"""What the address of a filtered list asks for, and the same list asked for a little differently."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlencode
from uuid import UUID

from flask import request, url_for

from qikbiz.kernel.errors import Failure

# No log is older; and at the ends of the calendar the day before and the day after don't exist.
_YEARS = range(1970, 3000)


def id_asked(name: str, *, page: str) -> UUID | None:
    """The id under `name`, or None. Raises Failure; `page` says where to start again."""
    text = request.args.get(name, "")
    try:
        return UUID(text) if text else None
    except ValueError:
        raise Failure(f"The address of this page is incomplete. Start again from {page}.") from None


def day_asked(name: str) -> date | None:
    """The day under `name`, or None. Raises Failure."""
    text = request.args.get(name, "")
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        raise Failure(f"“{text[:40]}” is not a day. Write it like 2026-11-03.") from None
    if day is not None and day.year not in _YEARS:
        raise Failure(f"{text} is out of range. Enter a day between {_YEARS[0]} and {_YEARS[-1]}.")
    return day


def asked_otherwise(endpoint: str, **changed: str) -> str:
    """This list with some of its query changed; empty takes a parameter out. The page is always a new one."""
    kept = {name: text for name, text in request.args.items() if name not in ("before", "after")}
    query = urlencode({name: text for name, text in {**kept, **changed}.items() if text})
    return url_for(endpoint) + (f"?{query}" if query else "")
