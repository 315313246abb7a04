"""An amount of money with two decimals; its currency is a field of its own."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from qikbiz.crm.schema.field import ParseLocale
from qikbiz.crm.schema.kinds.number import Number
from qikbiz.crm.schema.number_parsing import parse_money


@dataclass(frozen=True)
class Money(Number):
    kind: ClassVar[str] = "money"

    def read(self, text: str, locale: ParseLocale) -> Decimal:
        return parse_money(text, locale.decimal_mark)
