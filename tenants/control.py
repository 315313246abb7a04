"""The control database: who the tenants are and where they live. Nothing in a tenant's schema refers to it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import uuid_utils
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Engine,
    ForeignKey,
    Index,
    MetaData,
    String,
    create_engine,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tenants.liveness import replace_dead_connections

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def new_id() -> UUID:
    """A time-ordered UUID (version 7), made here so that no sequence is needed (Citus, restore, merge)."""
    return UUID(int=uuid_utils.uuid7().int)


class ControlModel(DeclarativeBase):
    """Base of every table in the control database."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[object, object]] = {
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        dict[str, object]: JSONB,
        list[str]: JSONB,
        int: BigInteger,
    }


class Cell(ControlModel):
    """Up to `capacity` tenants behind one database login. `dsn` is sealed with the key ring (purpose cell-dsn)."""

    __tablename__ = "cells"

    name: Mapped[str] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(unique=True)
    dsn: Mapped[str]
    capacity: Mapped[int] = mapped_column(server_default="100")
    accepts_new: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class TenantRecord(ControlModel):
    """One customer organisation. `directory_version` is the directory's version at its last change."""

    __tablename__ = "tenants"
    __table_args__ = (
        CheckConstraint("state in ('creating', 'active', 'suspended', 'closing', 'closed')", name="state"),
        CheckConstraint("schema_name ~ '^t_[a-z0-9]{12,20}$' and role_name ~ '^t_[a-z0-9]{12,20}$'", name="opaque"),
        CheckConstraint("seats > 0", name="seats"),
        CheckConstraint("week_start in ('', 'monday', 'sunday', 'saturday')", name="week_start"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="creating")
    state_reason: Mapped[str] = mapped_column(server_default="")
    schema_name: Mapped[str] = mapped_column(unique=True)
    role_name: Mapped[str] = mapped_column(unique=True)
    cell_name: Mapped[str] = mapped_column(ForeignKey("cells.name"))
    epoch: Mapped[int] = mapped_column(server_default="1")
    version: Mapped[str] = mapped_column(server_default="")
    accent: Mapped[str] = mapped_column(String, server_default="blue")
    time_zone: Mapped[str] = mapped_column(server_default="UTC")
    country: Mapped[str] = mapped_column(server_default="")
    currency: Mapped[str] = mapped_column(server_default="")
    week_start: Mapped[str] = mapped_column(server_default="")
    logo: Mapped[str] = mapped_column(server_default="")
    directory_version: Mapped[int] = mapped_column(server_default="0", index=True)
    admin_email: Mapped[str] = mapped_column(server_default="")
    users: Mapped[int] = mapped_column(server_default="0")
    records: Mapped[int] = mapped_column(server_default="0")
    bytes: Mapped[int] = mapped_column(server_default="0")
    measured_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None]
    delete_after: Mapped[datetime | None]
    read_only_until: Mapped[datetime | None]
    seats: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class Domain(ControlModel):
    """A host name of a tenant's own, beside its subdomain. Anyone may claim one; who proves it first has it.

    `token` is what the proof in the name's DNS says.
    """

    __tablename__ = "domains"
    __table_args__ = (
        Index("uq_domains_verified", "host", unique=True, postgresql_where=text("verified_at IS NOT NULL")),
    )

    host: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True, index=True)
    token: Mapped[str] = mapped_column(server_default="")
    verified_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class DirectoryState(ControlModel):
    """One row: the version of the directory, raised in the transaction of each change so that changes are ordered."""

    __tablename__ = "directory_state"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, server_default="1")
    version: Mapped[int] = mapped_column(server_default="0")


class TenantMigration(ControlModel):
    """The fleet's view of migrations; the truth is the version row inside each tenant's schema."""

    __tablename__ = "tenant_migrations"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)
    target: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    attempt: Mapped[int] = mapped_column(server_default="1")
    error: Mapped[str] = mapped_column(server_default="")
    milliseconds: Mapped[int] = mapped_column(server_default="0")
    at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class PendingWork(ControlModel):
    """A mark that a tenant may have jobs due, so that the sweeper need not enter every tenant each round.

    It is written before the tenant's transaction commits: a mark too many costs a look, one too few would lose a job.
    """

    __tablename__ = "pending_work"
    __table_args__ = (Index("ix_pending_work_due_at", "due_at"),)

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
    due_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    marked_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class ReservedName(ControlModel):
    """A slug that may not be given again: the name of an erased tenant."""

    __tablename__ = "reserved_names"

    slug: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


def control_engine(url: str, *, pool_size: int = 5, application_name: str = "qikbiz") -> Engine:
    """Engine of the control database. `url` is a postgresql:// URL as libpq takes it."""
    engine = create_engine(
        sqlalchemy_url(url),
        pool_size=pool_size,
        max_overflow=10,
        pool_pre_ping=False,
        pool_recycle=1800,
        pool_timeout=5,
        hide_parameters=True,
        use_native_hstore=False,
        connect_args={"connect_timeout": 5, "application_name": application_name},
    )
    replace_dead_connections(engine)
    return engine


def sqlalchemy_url(url: str) -> str:
    """The same URL with the psycopg driver named, as SQLAlchemy wants it."""
    for prefix in ("postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url[len(prefix) :]
    return url
