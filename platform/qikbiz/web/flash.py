"""Short messages shown once, after the next page: what happened, and how to take it back."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Literal

from flask import Flask, Response, has_request_context, request

from qikbiz.kernel.reading_direction import one_way
from qikbiz.web.cookies import FLASH, delete_cookie, open_cookie, set_cookie
from qikbiz.web.request_context import DESTINATION

Kind = Literal["done", "notice", "failed"]
_WAITING = "qikbiz.toasts"
# More would not fit the cookie, nor be read.
_MOST, _LONGEST = 3, 300


@dataclass(frozen=True)
class Toast:
    """`undo_url` is posted to when the person chooses Undo; `link_url` leads to what the words are about, which is
    called `link_text`. A failed one, and one with a link, stays until it is dismissed."""

    text: str
    kind: Kind = "done"
    undo_url: str = ""
    link_url: str = ""
    link_text: str = ""


def register(app: Flask) -> None:
    app.after_request(_carry_over)


def show_toast(text: str, *, kind: Kind = "done", undo_url: str = "", link_url: str = "", link_text: str = "") -> None:
    """Say `text` on the page that is being made, or on the next one after a redirect."""
    _waiting().append(Toast(one_way(text)[:_LONGEST], kind, undo_url, link_url, link_text[:_LONGEST]))


def pending_toasts() -> list[Toast]:
    """What is to be said now; it is not said again."""
    if not has_request_context() or DESTINATION not in request.environ:
        return []
    carried = _carried()
    delete_cookie(FLASH)
    said = [*carried, *_waiting()]
    _waiting().clear()
    return said


def has_waiting_toasts() -> bool:
    """Whether something is to be said already, such as why the login has ended."""
    return bool(_waiting())


def clear_pending_toasts() -> None:
    """What was to be said did not happen."""
    _waiting().clear()


def _carried() -> list[Toast]:
    opened = open_cookie(FLASH) if FLASH.name in request.cookies else None
    if opened is None:
        return []
    try:
        return [Toast(**toast) for toast in json.loads(opened.plaintext)]
    except (ValueError, TypeError):
        return []


def _waiting() -> list[Toast]:
    waiting: list[Toast] = request.environ.setdefault(_WAITING, [])
    return waiting


def _carry_over(response: Response) -> Response:
    if 300 <= response.status_code < 400 and _waiting():
        set_cookie(FLASH, json.dumps([asdict(toast) for toast in _waiting()[-_MOST:]]).encode())
    return response
