"""A country, kept by its code of ISO 3166-1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from qikbiz.crm.schema.field import (
    Control,
    Field,
    FilterControl,
    Options,
    ParseLocale,
    People,
    Showing,
)
from qikbiz.crm.schema.normalize import countries, normalise_country


@dataclass(frozen=True)
class Country(Field):
    kind: ClassVar[str] = "country"
    filter_control: ClassVar[FilterControl] = "select"
    gives_region: ClassVar[bool] = True

    @property
    def control(self) -> Control:
        return "select"

    def read(self, text: str, locale: ParseLocale) -> str:
        return normalise_country(text)

    def words(self, value: str, showing: Showing) -> str:
        return countries().get(value, value)

    def cell_texts(self, values: Sequence[str | None]) -> Sequence[str | None]:
        known = countries()
        return [known.get(value) if value else None for value in values]

    def options(self, people: People) -> Options:
        return list(countries().items())
