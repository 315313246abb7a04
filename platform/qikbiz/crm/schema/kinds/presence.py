"""Filters of fields that are asked only whether they hold anything."""

from __future__ import annotations

from qikbiz.crm.schema.field import Column, Condition, Options
from qikbiz.crm.schema.number_parsing import parse_boolean

FILLED_OR_EMPTY: Options = [("yes", "Has value"), ("no", "Is empty")]


def is_filled(column: Column, text: str) -> Condition:
    return column.is_not(None) if parse_boolean(text) else column.is_(None)


def presence_words(label: str, text: str) -> str:
    return f"{'With' if text == 'yes' else 'Without'} {label.lower()}"
