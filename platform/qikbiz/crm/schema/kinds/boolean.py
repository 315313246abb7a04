"""Yes or no; no where nothing was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from qikbiz.crm.schema.field import (
    Column,
    Condition,
    Control,
    Field,
    FilterControl,
    Options,
    ParseLocale,
    People,
    Showing,
)
from qikbiz.crm.schema.number_parsing import parse_boolean

YES, NO = "yes", "no"


@dataclass(frozen=True)
class Boolean(Field):
    kind: ClassVar[str] = "boolean"
    empty: ClassVar[Any] = False
    filter_control: ClassVar[FilterControl] = "select"

    @property
    def control(self) -> Control:
        return "select"

    def read(self, text: str, locale: ParseLocale) -> bool:
        return parse_boolean(text)

    def show(self, value: bool | None) -> str:
        return "" if value is None else YES if value else NO

    def words(self, value: bool, showing: Showing) -> str:
        return "Yes" if value else "No"

    def cell_texts(self, values: Sequence[bool | None]) -> Sequence[str | None]:
        return [YES if value else None for value in values]

    def options(self, people: People) -> Options:
        return [(YES, "Yes"), (NO, "No")]

    def select_options(self, text: str, people: People) -> Options:
        return [(NO, "No"), (YES, "Yes")]

    def selected(self, text: str) -> str:
        return YES if text in (YES, "1", "on", "true") else NO

    def condition(self, column: Column, text: str, parameter: str, viewer: object) -> Condition:
        return column.is_(parse_boolean(text))

    def condition_words(self, text: str, parameter: str, showing: Showing) -> str:
        return f"{self.label} is {text}"
