"""Columns that every record has."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from qikbiz.kernel.database import Model
from tenants.control import new_id


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
