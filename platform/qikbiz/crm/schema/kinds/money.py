"""An amount of money with two decimals; its currency is a field of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from sqlalchemy import Row

from qikbiz.crm.schema.field import Field, ParseLocale, People
from qikbiz.crm.schema.number_parsing import parse_money
from qikbiz.web.formats import number


@dataclass(frozen=True)
class Money(Field):
    kind: ClassVar[str] = "money"
    input_mode: ClassVar[str] = "decimal"
    is_number: ClassVar[bool] = True

    def read(self, text: str, locale: ParseLocale) -> Decimal:
        return parse_money(text, locale.decimal_mark)

    def cells(self, rows: Sequence[Row[tuple[object, ...]]], people: People) -> list[str]:
        return [f'<td class="num">{number(getattr(row, self.name))}</td>' for row in rows]
