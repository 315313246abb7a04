"""Another record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Row

from qikbiz.crm.schema.field import (
    PLAIN,
    Column,
    Condition,
    Field,
    FilterControl,
    ParseCell,
    ParseLocale,
    People,
    Showing,
)
from qikbiz.crm.schema.html import safe_texts
from qikbiz.crm.schema.kinds.record_id import as_id, parse_id
from qikbiz.crm.schema.kinds.text import quick_text
from qikbiz.crm.schema.normalize import clean_text
from qikbiz.crm.schema.registry import BY_SINGULAR

# What is not there for this person reads the same as what was removed.
GONE = "a record that was deleted or that you may not see"


@dataclass(frozen=True)
class Reference(Field):
    """Files name the record, or with `is_matched_by_id` give its id."""

    is_matched_by_id: bool = False

    kind: ClassVar[str] = "reference"
    filter_control: ClassVar[FilterControl] = "hidden"

    @property
    def keeps_name(self) -> bool:
        """Whether the record's name is repeated beside its id."""
        return len(self.written_columns) > 1

    def read(self, text: str, locale: ParseLocale) -> UUID | str:
        return parse_id(text) if self.is_matched_by_id else clean_text(text)

    def parse_typed(self, text: str, locale: ParseLocale = PLAIN) -> str | None:
        return clean_text(text) or None

    def parse_cell(self, locale: ParseLocale) -> ParseCell | None:
        return None if self.is_matched_by_id else quick_text(self, locale)

    def words(self, value: UUID | str, showing: Showing) -> str:
        if self.keeps_name:
            return str(value)
        return showing.linked_name(self.references, as_id(value)) or GONE

    def href(self, record: object, text: str) -> str:
        ident = getattr(record, self.written_columns[-1], None)
        return f"/{BY_SINGULAR[self.references].plural}/{ident}" if text and ident else ""

    def cells(self, rows: Sequence[Row[tuple[object, ...]]], people: People) -> list[str]:
        name_column, id_column = self.written_columns
        base = f"/{BY_SINGULAR[self.references].plural}/"
        names = safe_texts([getattr(row, name_column) for row in rows])
        ids = [getattr(row, id_column) for row in rows]
        return [
            f'<td><a href="{base}{id_}" hx-boost="false">{name}</a></td>' if id_ and name else f"<td>{name}</td>"
            for id_, name in zip(ids, names, strict=True)
        ]

    def condition(self, column: Column, text: str, parameter: str, viewer: object) -> Condition:
        return column == UUID(text)

    def condition_words(self, text: str, parameter: str, showing: Showing) -> str:
        return f"{self.label} is {showing.linked_name(self.references, UUID(text)) or 'gone'}"
