"""Short messages shown once, after the next page: what happened, and how to take it back."""

import json
from dataclasses import asdict, dataclass
from typing import Literal

from flask import current_app, flash, get_flashed_messages

Kind = Literal["done", "notice", "failed"]
CATEGORY = "toast"


@dataclass(frozen=True)
class Toast:
    """`undo_url` is posted to when the person chooses Undo; a failed one stays until it is dismissed."""

    text: str
    kind: Kind = "done"
    undo_url: str = ""


def show_toast(text: str, *, kind: Kind = "done", undo_url: str = "") -> None:
    # Text, since the session keeps only what JSON can hold.
    flash(json.dumps(asdict(Toast(text, kind, undo_url))), CATEGORY)


def pending_toasts() -> list[Toast]:
    if not current_app.secret_key and type(current_app.session_interface).__module__.startswith("flask."):
        return []
    return [Toast(**json.loads(message)) for message in get_flashed_messages(category_filter=[CATEGORY])]
