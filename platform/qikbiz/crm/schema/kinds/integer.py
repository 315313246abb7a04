"""A whole number from 0 on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from qikbiz.crm.schema.field import ParseLocale, Showing
from qikbiz.crm.schema.kinds.number import Number
from qikbiz.crm.schema.number_parsing import parse_integer
from qikbiz.web.formats import number


@dataclass(frozen=True)
class Integer(Number):
    kind: ClassVar[str] = "integer"

    def read(self, text: str, locale: ParseLocale) -> int:
        return parse_integer(text, locale.decimal_mark)

    def words(self, value: int | str, showing: Showing) -> str:
        return number(int(value))
