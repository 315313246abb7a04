"""Fields whose filter asks only whether they hold anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from qikbiz.crm.schema.field import Column, Condition, Field, FilterControl, Options, People, Showing
from qikbiz.crm.schema.number_parsing import parse_boolean


@dataclass(frozen=True)
class FilteredByPresence(Field):
    """What such kinds share."""

    filter_control: ClassVar[FilterControl] = "select"

    def filter_options(self, people: People) -> Options:
        return [("yes", "Has value"), ("no", "Is empty")]

    def condition(self, column: Column, text: str, parameter: str, viewer: object) -> Condition:
        return column.is_not(None) if parse_boolean(text) else column.is_(None)

    def condition_words(self, text: str, parameter: str, showing: Showing) -> str:
        return f"{'With' if text == 'yes' else 'Without'} {self.label.lower()}"
