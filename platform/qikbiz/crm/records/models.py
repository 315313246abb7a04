"""Columns that every record has."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from qikbiz.kernel.database import Model
from tenants.control import new_id

# Written as spaces, so that the parser of PostgreSQL sees plain words: otherwise `ann.lee@example.com` is one word,
# which neither `lee` nor `example.com` finds. Only what the parser would join or swallow: each one costs every save.
PUNCTUATION = "@._-+/:<&"
_TWO_DIGIT_CODES = """20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58
60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98"""


def search_document(*columns: str, phone: str) -> str:
    """The SQL of a record's search column: the words of `columns`, and `phone` with and without its country code.

    Every letter costs each save and each imported row: what `sort_name` holds already is not named again, and where
    in the text a word stands is not kept.
    """
    texts = " || ' ' || ".join(f"coalesce({column}, '')" for column in columns)
    spaces = " " * len(PUNCTUATION)
    digits = f"coalesce(substr({phone}, 2), '')"
    return (
        f"strip(to_tsvector('simple', translate({texts}, '{PUNCTUATION}', '{spaces}') || ' ' || {digits} || ' ' || "
        f"{_national(phone)}))"
    )


def _national(phone: str) -> str:
    codes = ", ".join(f"'+{code}'" for code in _TWO_DIGIT_CODES.split())
    return (
        f"coalesce(case when left({phone}, 2) in ('+1', '+7') then substr({phone}, 3) "
        f"when left({phone}, 3) in ({codes}) then substr({phone}, 4) else substr({phone}, 5) end, '')"
    )


class RecordColumns:
    """`version` grows with every change (optimistic locking). `deleted_at` is set while the record lies in the trash.

    `sort_name` is the display name folded for ordering, computed by the action or import that writes the record
    (`records.fields.derived_columns`), since tenant schemas have no triggers.
    """

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    version: Mapped[int] = mapped_column(server_default="1")
    external_id: Mapped[str | None]
    owner_id: Mapped[UUID | None]
    sort_name: Mapped[str] = mapped_column(server_default="")
    tags: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    description: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    created_by: Mapped[UUID | None]
    created_by_import: Mapped[UUID | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    updated_by: Mapped[UUID | None]
    deleted_at: Mapped[datetime | None]
    deleted_by: Mapped[UUID | None]


class Record(RecordColumns, Model):
    """A row of any record type."""

    __abstract__ = True
