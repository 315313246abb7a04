"""A whole number from 0 on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import Row

from qikbiz.crm.schema.field import Field, ParseLocale, People, Showing
from qikbiz.crm.schema.number_parsing import parse_integer
from qikbiz.web.formats import number


@dataclass(frozen=True)
class Integer(Field):
    kind: ClassVar[str] = "integer"
    input_mode: ClassVar[str] = "decimal"
    is_number: ClassVar[bool] = True

    def read(self, text: str, locale: ParseLocale) -> int:
        return parse_integer(text, locale.decimal_mark)

    def words(self, value: int | str, showing: Showing) -> str:
        return number(int(value))

    def cells(self, rows: Sequence[Row[tuple[object, ...]]], people: People) -> list[str]:
        return [f'<td class="num">{number(getattr(row, self.name))}</td>' for row in rows]
