"""Words of people's own that several records share."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from markupsafe import Markup
from sqlalchemy import Row, and_, literal_column

from qikbiz.crm.schema.field import Column, Condition, Field, ParseLocale, People, Showing
from qikbiz.crm.schema.html import drawn_tags, tag_chips
from qikbiz.crm.schema.normalize import clean_text, name_key
from qikbiz.crm.schema.validation import FieldProblem

MOST_TAGS = 50
LONGEST_TAG = 50
# Every contact of Google is in this group.
_ALL_CONTACTS = "mycontacts"


@dataclass(frozen=True)
class Tags(Field):
    kind: ClassVar[str] = "tags"
    empty: ClassVar[Any] = []

    def read(self, text: str, locale: ParseLocale) -> list[str]:
        kept: dict[str, str] = {}
        for tag in filter(None, map(str.strip, re.split(r"[;,\n]", clean_text(text)))):
            kept.setdefault(name_key(tag), tag)
        tags = list(kept.values())
        if len(tags) > MOST_TAGS or any(len(tag) > LONGEST_TAG for tag in tags):
            raise FieldProblem(
                "There are too many tags, or one is too long.", f"At most {MOST_TAGS} tags of {LONGEST_TAG} characters."
            )
        return tags

    def translate(self, text: str) -> str:
        listed = json_list(text)
        if listed is not None and all(isinstance(tag, str) for tag in listed):
            return "; ".join(map(str, listed))
        if ":::" not in text and not text.startswith("* "):
            return text
        tags = (tag.strip().removeprefix("*").strip() for tag in text.split(":::"))
        return "; ".join(tag for tag in tags if tag.casefold() != _ALL_CONTACTS)

    def show(self, value: Sequence[str] | None) -> str:
        return ", ".join(value or ())

    def fact(self, record: object, text: str) -> Markup:
        return tag_chips(getattr(record, self.name) if text else None)

    def cells(self, rows: Sequence[Row[tuple[object, ...]]], people: People) -> list[str]:
        return [f"<td>{drawn_tags(getattr(row, self.name))}</td>" for row in rows]

    def condition(self, column: Column, text: str, parameter: str, viewer: object) -> Condition:
        # The second half lets the partial index answer.
        return and_(column.contains([text]), column != literal_column("'{}'"))

    def condition_words(self, text: str, parameter: str, showing: Showing) -> str:
        return f"Tag is {text}"


def json_list(text: str) -> list[object] | None:
    """The list that a portable export of ours writes into a cell; None for any other text."""
    if not text.startswith("["):
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, list) else None
