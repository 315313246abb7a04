"""The ledger's rows: one table in each tenant's schema, one in the control database, the same columns."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from qikbiz.kernel.database import Model
from tenants.control import ControlModel, new_id

STATES = "('pending', 'running', 'done', 'failed', 'quarantined', 'cancelled')"


class JobColumns:
    """A unit of work. `arguments` holds ids only, never personal data.

    `token` fences: each claim has its own, and an effect is committed together with `done` under it. `lease_until`
    is how long the claim holds without a heartbeat. `dedupe_key` is unique for as long as the row stands.
    `grant_id` is set when staff asked for work on records: it is then done by the role of that grant, or not at all.
    """

    __tablename__: str

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str]
    queue: Mapped[str]
    arguments: Mapped[dict[str, object]] = mapped_column(server_default=text("'{}'"))
    state: Mapped[str] = mapped_column(server_default="pending")
    attempt: Mapped[int] = mapped_column(server_default="0")
    max_attempts: Mapped[int] = mapped_column(server_default="3")
    token: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    run_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    dedupe_key: Mapped[str | None]
    created_by: Mapped[UUID | None]
    grant_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    progress_done: Mapped[int] = mapped_column(server_default="0")
    progress_total: Mapped[int | None]
    progress_note: Mapped[str] = mapped_column(server_default="")
    result: Mapped[dict[str, object]] = mapped_column(server_default=text("'{}'"))
    error_ref: Mapped[str] = mapped_column(server_default="")
    error_text: Mapped[str] = mapped_column(server_default="")

    @declared_attr.directive
    def __table_args__(cls) -> tuple[CheckConstraint | Index, ...]:  # a declared_attr receives the class
        name = cls.__tablename__
        return (
            CheckConstraint(f"state in {STATES}", name="state"),
            Index(f"uq_{name}_dedupe_key", "dedupe_key", unique=True, postgresql_where=text("dedupe_key is not null")),
            Index(f"ix_{name}_due", "run_at", postgresql_where=text("state in ('pending', 'running')")),
        )


class Job(JobColumns, Model):
    """A tenant's job, written in the business transaction that asks for it."""

    __tablename__ = "jobs"


class PlatformJob(JobColumns, ControlModel):
    """A job of the platform: provisioning, abuse checks, periodic work."""

    __tablename__ = "platform_jobs"


class ScheduleRun(ControlModel):
    """Periodic work that was started: at most once for each name and due time."""

    __tablename__ = "schedule_runs"

    name: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[datetime] = mapped_column(primary_key=True)
    job_id: Mapped[UUID | None]
