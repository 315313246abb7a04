"""A day of the calendar."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from qikbiz.crm.schema.field import Field, ParseLocale, Showing
from qikbiz.crm.schema.number_parsing import parse_date

# Outlook writes 0.0.00 or 0/0/00 for a birthday that nobody gave, databases 0000-00-00.
_EMPTY = re.compile(r"0{1,4}([./-])0{1,2}\1(?:0{2}|0{4})(?:[ T]00:00(?::00)?)?")


@dataclass(frozen=True)
class Date(Field):
    kind: ClassVar[str] = "date"
    input_type: ClassVar[str] = "date"

    def read(self, text: str, locale: ParseLocale) -> date:
        return parse_date(text, locale.date_order)

    def translate(self, text: str) -> str:
        return "" if _EMPTY.fullmatch(text.strip()) else text

    def words(self, value: date | str, showing: Showing) -> str:
        day = value if isinstance(value, date) else date.fromisoformat(value)
        return f"{day.day} {day:%b %Y}"

    def cell_texts(self, values: Sequence[date | None]) -> Sequence[str | None]:
        return [value.isoformat() if value else None for value in values]
