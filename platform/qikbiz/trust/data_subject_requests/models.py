"""The erasure of a person, and the tombstone that is left of them. Neither names anybody."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from qikbiz.kernel.database import Model
from tenants.control import ControlModel, new_id


class Erasure(Model):
    """One request to erase a contact. `document` is the receipt, signed with `signature` by the key `key_id`."""

    __tablename__ = "erasures"
    __table_args__ = (
        CheckConstraint("state in ('asked', 'done', 'failed')", name="state"),
        Index("ix_erasures_record_id", "record_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    record_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(server_default="asked")
    reference: Mapped[str] = mapped_column(server_default="")
    asked_by: Mapped[UUID | None]
    asked_by_name: Mapped[str] = mapped_column(server_default="")
    asked_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    done_at: Mapped[datetime | None]
    problem: Mapped[str] = mapped_column(server_default="")
    job_id: Mapped[UUID | None]
    document: Mapped[dict[str, object]] = mapped_column(server_default=text("'{}'"))
    key_id: Mapped[int | None]
    signature: Mapped[bytes | None] = mapped_column(LargeBinary)


class Tombstone(Model):
    """A person was erased. `record_id` was the contact's; `marks` are keyed hashes of addresses and own numbers.

    The key is the organisation's own and travels with the tombstone, so that a restore elsewhere knows them too.
    """

    __tablename__ = "tombstones"
    __table_args__ = (Index("uq_tombstones_record_id", "record_id", unique=True),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    record_id: Mapped[UUID]
    erased_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    key: Mapped[str]
    marks: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))


class ErasedRecord(ControlModel):
    """The same in the control database, by ids alone: a tenant's schema restored from a back-up forgets its own."""

    __tablename__ = "erased_records"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    record_id: Mapped[UUID] = mapped_column(primary_key=True)
    erased_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
