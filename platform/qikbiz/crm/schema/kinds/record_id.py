"""The id of a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from qikbiz.crm.schema.field import Field, ParseLocale
from qikbiz.crm.schema.normalize import plain
from qikbiz.crm.schema.validation import FieldProblem


@dataclass(frozen=True)
class RecordId(Field):
    kind: ClassVar[str] = "id"

    def read(self, text: str, locale: ParseLocale) -> UUID:
        return parse_id(text)


def parse_id(text: str) -> UUID:
    """Raises FieldProblem."""
    found = uuid_or_none(plain(text))
    if found is None:
        raise FieldProblem(f"“{text[:60]}” is not a record id.", "Use the id from an export.")
    return found


def uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) >= 32 else None
    except ValueError:
        return None


def as_id(value: UUID | str) -> UUID:
    """An id, kept or read back from history."""
    return value if isinstance(value, UUID) else UUID(value)
