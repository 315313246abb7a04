"""A currency, kept by its code of ISO 4217."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from qikbiz.crm.schema.field import Field, ParseLocale
from qikbiz.crm.schema.number_parsing import parse_currency


@dataclass(frozen=True)
class Currency(Field):
    kind: ClassVar[str] = "currency"

    def read(self, text: str, locale: ParseLocale) -> str:
        return parse_currency(text)
