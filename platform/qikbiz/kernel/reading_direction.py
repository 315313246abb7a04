"""Marks that turn the reading direction of what follows, so that a name could look like another one.

They are kept in data. Where what stands beside them can't be set apart (a title, a toast, a mail's header) they are
left out; everywhere else the style sheet isolates names.
"""

from __future__ import annotations

import re
from typing import TypeVar

Text = TypeVar("Text", bound=str)
_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def one_way(text: Text) -> Text:
    """`text` without turning marks; escaped markup stays escaped."""
    return type(text)(_TURNING.sub("", text))
