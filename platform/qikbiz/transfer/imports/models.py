"""An import and its staged rows."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from qikbiz.kernel.database import Model
from tenants.control import new_id

STATES = (
    "('uploaded', 'mapped', 'checking', 'checked', 'applying', 'applied', 'undoing', 'undone', 'failed', 'cancelled')"
)
# Every row of the file is in exactly one of these, or the transaction does not commit.
ADDS_UP = (
    "counts = '{}' or rows = (counts ->> 'created')::bigint + (counts ->> 'updated')::bigint "
    "+ (counts ->> 'unchanged')::bigint + (counts ->> 'invalid')::bigint"
)


class Import(Model):
    """One file on its way in. `counts` always adds up to `rows`; with `instruction` staff imported for the customer.

    The file lies in the store; without `file_key` it is gone.
    """

    __tablename__ = "imports"
    __table_args__ = (
        CheckConstraint(f"state in {STATES}", name="state"),
        CheckConstraint(ADDS_UP, name="adds_up"),
        Index("ix_imports_fingerprint", "fingerprint"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    record_type: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="uploaded")
    file_name: Mapped[str]
    file_path: Mapped[str]
    file_key: Mapped[bytes | None] = mapped_column(LargeBinary)
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
    problem: Mapped[str] = mapped_column(server_default="")
    job_id: Mapped[UUID | None]
    instruction: Mapped[str | None]
    grant_id: Mapped[UUID | None]
    actor_kind: Mapped[str] = mapped_column(server_default="user")
    created_by: Mapped[UUID | None]
    created_by_name: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    applied_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]
    undo_counts: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))


class ImportRow(Model):
    """A staged row, unlogged: it can be made again from the file.

    `outcome` is created, updated, unchanged, invalid, or nameless until it is known whether a record exists. `values`
    are the record's columns as text, in the order of the import's plan; `record_id` and `version` the record found.
    `problems` refuse the row; `skipped` are cells that the record goes without, in the same form.
    No foreign key: it would be checked a million times, and who removes an import removes its rows.
    """

    __tablename__ = "import_rows"
    __table_args__ = (
        Index("ix_import_rows_invalid", "import_id", "row", postgresql_where=text("outcome = 'invalid'")),
        Index("ix_import_rows_skipped", "import_id", "row", postgresql_where=text("skipped is not null")),
        {"prefixes": ["UNLOGGED"]},
    )

    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    outcome: Mapped[str]
    key: Mapped[str | None]
    record_id: Mapped[UUID | None]
    version: Mapped[int | None]
    values: Mapped[list[str | None] | None] = mapped_column(ARRAY(Text))
    problems: Mapped[list[dict[str, Any]] | None]
    skipped: Mapped[list[dict[str, Any]] | None]


class ImportUpdate(Model):
    """What a row changes in the record it found: `changes` is {column: [old, new]}, `values` all columns written.

    `change_id` becomes the id of the history's row.
    """

    __tablename__ = "import_updates"
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)

    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True)
    record_id: Mapped[UUID]
    version: Mapped[int]
    change_id: Mapped[UUID]
    subject: Mapped[str] = mapped_column(server_default="")
    changes: Mapped[dict[str, Any]]
    values: Mapped[list[str | None]] = mapped_column(ARRAY(Text))
