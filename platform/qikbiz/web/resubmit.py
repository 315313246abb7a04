"""What a user typed into a form that could not be accepted, so that it can be sent again."""

from __future__ import annotations

from flask import request
from werkzeug.exceptions import HTTPException

from qikbiz.web.csrf import FIELD, SAFE_METHODS, is_surely_ours

_MOST_CHARACTERS = 256 * 1024


def can_send_again() -> bool:
    """Whether a page of ours made the request and there is something to keep. Another site's form is never repeated."""
    if request.method in SAFE_METHODS or request.headers.get("HX-Request") or not is_surely_ours():
        return False
    try:
        fields, _files = typed_fields()
    except HTTPException:
        return False
    return bool(fields) and sum(len(name) + len(value) for name, value in fields) <= _MOST_CHARACTERS


def typed_fields() -> tuple[list[tuple[str, str]], bool]:
    """Every field but secrets and the token, and whether files were sent too, which a page can't give back."""
    pairs = [
        (name, value)
        for name, value in request.form.items(multi=True)
        if name != FIELD and "password" not in name.lower()
    ]
    return pairs, any(file.filename for file in request.files.values())
