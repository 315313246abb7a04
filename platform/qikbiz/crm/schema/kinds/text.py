"""One line of text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from qikbiz.crm.schema.field import Field, ParseCell, ParseLocale
from qikbiz.crm.schema.normalize import clean_text

NO_BREAKS: Mapping[int, str] = MappingProxyType({})


@dataclass(frozen=True)
class Text(Field):
    kind: ClassVar[str] = "text"
    is_free_text: ClassVar[bool] = True
    # What old programs write for a line break, and what it becomes.
    breaks: ClassVar[Mapping[int, str]] = NO_BREAKS

    def read(self, text: str, locale: ParseLocale) -> str:
        return clean_text(text)

    def parse_cell(self, locale: ParseLocale) -> ParseCell:
        parse = quick_text(self, locale, self.breaks)
        return (lambda text: parse(self.translate(text) or " ")) if self.translates else parse


def quick_text(field: Field, locale: ParseLocale, breaks: Mapping[int, str] = NO_BREAKS) -> ParseCell:
    """`field.parse` of text: printable ASCII without spaces around needs no look at every character."""
    longest = field.max_length

    def parse(text: str) -> object:
        if text.isascii() and text.isprintable() and len(text) <= longest and text[0] != " " and text[-1] != " ":
            return text
        return field.parse(text.translate(breaks), locale) if text.strip() else None

    return parse
