"""An import and its staged rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from qikbiz.database import Model
from tenants.control import new_id

STATES = (
    "('uploaded', 'mapped', 'checking', 'checked', 'applying', 'applied', 'undoing', 'undone', 'failed', 'cancelled')"
)


class Import(Model):
    """One file on its way in. `counts` always adds up to `rows`; `instruction` is set when staff imported for the customer."""

    __tablename__ = "imports"
    __table_args__ = (
        CheckConstraint(f"state in {STATES}", name="state"),
        Index("ix_imports_fingerprint", "fingerprint"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    record_type: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="uploaded")
    file_name: Mapped[str]
    file_path: Mapped[str]
    file_bytes: Mapped[int]
    file_sha256: Mapped[str]
    fingerprint: Mapped[str | None]
    encoding: Mapped[str] = mapped_column(server_default="")
    delimiter: Mapped[str] = mapped_column(server_default="")
    header: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    mapping: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    options: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    key_field: Mapped[str] = mapped_column(server_default="email")
    mode: Mapped[str] = mapped_column(server_default="upsert")
    rows: Mapped[int] = mapped_column(server_default="0")
    counts: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    failed_file: Mapped[str | None]
    problem: Mapped[str] = mapped_column(server_default="")
    job_id: Mapped[UUID | None]
    instruction: Mapped[str | None]
    actor_kind: Mapped[str] = mapped_column(server_default="user")
    created_by: Mapped[UUID | None]
    created_by_name: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    applied_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]
    undo_counts: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))


class ImportRow(Model):
    """A staged row, unlogged: it can be made again from the file. The importer may add columns it needs."""

    __tablename__ = "import_rows"
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)

    import_id: Mapped[UUID] = mapped_column(ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    outcome: Mapped[str | None]
    record_id: Mapped[UUID | None]
    values: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    problems: Mapped[list[dict[str, Any]] | None]
