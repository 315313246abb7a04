"""The audit of a tenant and of the platform, and the history of each record from which timeline and undo are read."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Index, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from qikbiz.kernel.database import Model
from tenants.control import ControlModel, new_id

# Whether a user looked where they should not is often asked about a year later.
LEAST_MONTHS, MOST_MONTHS = 12, 240


class ChainColumns:
    """An event's place in its chain (docs/audit-format.md). Without `salt` its subject and details were erased."""

    chain: Mapped[UUID]
    seq: Mapped[int]
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary)
    private_hash: Mapped[bytes] = mapped_column(LargeBinary)
    salt: Mapped[bytes | None] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class AuditEvent(ChainColumns, Model):
    """One act. `actor_kind` is user, staff, system or anonymous; `details` holds old → new where something changed."""

    FRAMED: ClassVar = (
        "id", "actor_kind", "actor_id", "actor_name", "action", "record_type", "record_id", "request_id"
    )  # fmt: skip

    __tablename__ = "audit_events"
    __table_args__ = (
        CheckConstraint("actor_kind in ('user', 'staff', 'system', 'anonymous')", name="actor_kind"),
        Index("ix_audit_events_record", "record_id", "id", postgresql_where=text("record_id is not null")),
        Index("ix_audit_events_actor", "actor_id", "id"),
        Index("ix_audit_events_action", "action", "id"),
        UniqueConstraint("chain", "seq"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str] = mapped_column(server_default="")
    action: Mapped[str]
    record_type: Mapped[str] = mapped_column(server_default="")
    record_id: Mapped[UUID | None]
    subject: Mapped[str] = mapped_column(server_default="")
    details: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    request_id: Mapped[str] = mapped_column(server_default="")


class PlatformAuditEvent(ChainColumns, ControlModel):
    """What staff and commands did to the platform. Rows are only ever added."""

    FRAMED: ClassVar = ("id", "actor_kind", "actor_id", "actor_name", "action", "tenant_id", "request_id")
    __tablename__ = "platform_audit_events"
    __table_args__ = (
        Index("ix_platform_audit_events_tenant_id", "tenant_id", "id"),
        Index("ix_platform_audit_events_action", "action", "id"),
        UniqueConstraint("chain", "seq"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str] = mapped_column(server_default="")
    action: Mapped[str]
    tenant_id: Mapped[UUID | None]
    subject: Mapped[str] = mapped_column(server_default="")
    details: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    request_id: Mapped[str] = mapped_column(server_default="")


class PageRead(Model):
    """One page on which a user saw many records, such as a list. It holds names of filters and no value.

    No link of the chain: an event an hour vouches for these rows (audit/page_reads.py). They are kept for a year.
    """

    __tablename__ = "page_reads"
    __table_args__ = (Index("ix_page_reads_actor", "actor_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    at: Mapped[datetime]
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str] = mapped_column(server_default="")
    view: Mapped[str]
    record_type: Mapped[str] = mapped_column(server_default="")
    filters: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    part: Mapped[str] = mapped_column(server_default="first")
    shown: Mapped[int]
    request_id: Mapped[str] = mapped_column(server_default="")


class AuditTurn(Model):
    """Never a row: whoever adds to the audit holds a lock on this table until the commit.

    The advisory locks of PostgreSQL are everybody's, so tenants have no right to them.
    """

    __tablename__ = "audit_turns"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class AuditKeeping(Model):
    """How long the audit is kept, in months. Without the row, or with nothing in it: for ever."""

    __tablename__ = "audit_keeping"
    __table_args__ = (
        CheckConstraint("id = 1", name="one_row"),
        CheckConstraint(f"months between {LEAST_MONTHS} and {MOST_MONTHS}", name="months"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, server_default="1")
    months: Mapped[int | None]
    set_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class AuditAnchor(ControlModel):
    """The newest event of a tenant's chain on one day, kept where the owner of its schema can't write."""

    __tablename__ = "audit_anchors"

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    seq: Mapped[int]
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class AuditCheck(ControlModel):
    """How far a chain was last found whole; the platform's id is all zeros. `problem` is what was wrong.

    `reread` is where the next round reads the older part once more.
    """

    __tablename__ = "audit_checks"

    chain: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(server_default="0")
    hash: Mapped[bytes] = mapped_column(LargeBinary)
    reread: Mapped[int] = mapped_column(server_default="0")
    problem: Mapped[str] = mapped_column(server_default="")
    at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class RecordChange(Model):
    """One change of one record: `changes` is {field: [old, new]}; `version` is the record's version after it.

    `source` says how: form, import, undo, command. A record that an import created has no row here: its own
    `created_by_import` says so, which keeps a million-row import a million rows smaller.
    """

    __tablename__ = "record_changes"
    __table_args__ = (
        CheckConstraint("source in ('form', 'import', 'undo', 'command')", name="source"),
        Index("ix_record_changes_record", "record_id", "id"),
        Index("ix_record_changes_import", "import_id", postgresql_where=text("import_id is not null")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    record_type: Mapped[str]
    record_id: Mapped[UUID]
    version: Mapped[int]
    kind: Mapped[str]
    source: Mapped[str]
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    actor_name: Mapped[str] = mapped_column(server_default="")
    import_id: Mapped[UUID | None]
    changes: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
