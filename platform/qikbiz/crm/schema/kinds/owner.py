"""The user whose record it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Row

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
    Viewer,
)
from qikbiz.crm.schema.html import safe_texts
from qikbiz.crm.schema.kinds.record_id import as_id, uuid_or_none
from qikbiz.crm.schema.normalize import normalise_email, plain

NOBODY, ME = "nobody", "me"
UNKNOWN = "an unknown user"


@dataclass(frozen=True)
class Owner(Field):
    kind: ClassVar[str] = "owner"
    filter_control: ClassVar[FilterControl] = "select"
    names_user: ClassVar[bool] = True

    @property
    def control(self) -> Control:
        return "select"

    def read(self, text: str, locale: ParseLocale) -> UUID | str:
        # An address is the sure name of a colleague; a plain name is looked up too.
        written = plain(text)
        found = uuid_or_none(written)
        if found is not None:
            return found
        return normalise_email(written) if "@" in written else written

    def words(self, value: UUID | str, showing: Showing) -> str:
        return showing.people.get(as_id(value), UNKNOWN)

    def cells(self, rows: Sequence[Row[tuple[object, ...]]], people: People) -> list[str]:
        return [f"<td>{name}</td>" for name in safe_texts(people.get(getattr(row, self.name)) for row in rows)]

    def options(self, people: People) -> Options:
        return [(str(user_id), name) for user_id, name in people.items()]

    def select_options(self, text: str, people: People) -> Options:
        return [("", "No owner"), *self.options(people)]

    def filter_options(self, people: People) -> Options:
        return [(ME, "Me"), (NOBODY, "No owner"), *self.options(people)]

    def condition(self, column: Column, text: str, parameter: str, viewer: Viewer) -> Condition:
        if text == NOBODY:
            return column.is_(None)
        return column == (viewer.rights.me if text == ME else UUID(text))

    def condition_words(self, text: str, parameter: str, showing: Showing) -> str:
        who = text if text in (ME, NOBODY) else showing.people.get(UUID(text), UNKNOWN)
        return f"{self.label} is {who}"
