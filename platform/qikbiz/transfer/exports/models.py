"""An export that was asked for, its file, and who fetched it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from qikbiz.kernel.database import Model
from tenants.control import new_id


class Export(Model):
    """`file_key` is the sealed key of the encrypted file; deleting it deletes the file, in back-ups too."""

    __tablename__ = "exports"
    __table_args__ = (
        CheckConstraint("state in ('waiting', 'running', 'ready', 'failed', 'expired', 'deleted')", name="state"),
        CheckConstraint("product in ('portable', 'spreadsheet', 'audit', 'person')", name="product"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    state: Mapped[str] = mapped_column(server_default="waiting")
    scope: Mapped[str]
    filters: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    columns: Mapped[list[str] | None]
    product: Mapped[str] = mapped_column(server_default="portable")
    instruction: Mapped[str | None]
    grant_id: Mapped[UUID | None]
    actor_kind: Mapped[str] = mapped_column(server_default="user")
    requested_by: Mapped[UUID | None]
    requested_by_name: Mapped[str] = mapped_column(server_default="")
    requested_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    snapshot_at: Mapped[datetime | None]
    ready_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    job_id: Mapped[UUID | None]
    file_path: Mapped[str | None]
    file_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    file_bytes: Mapped[int | None]
    work_seconds: Mapped[int | None]
    file_sha256: Mapped[str | None]
    manifest: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    downloads: Mapped[int] = mapped_column(server_default="0")
    error_ref: Mapped[str] = mapped_column(server_default="")
