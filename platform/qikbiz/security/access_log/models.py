"""The access log of a tenant, and what is counted of it when its rows are gone."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import CIDR, INET
from sqlalchemy.orm import Mapped, mapped_column

from qikbiz.kernel.database import Model
from tenants.control import new_id


class AccessEvent(Model):
    """One sign-in event.

    `address` is emptied after 30 days; the row with its `prefix` (/24 or /48) goes after a year.

    The tenant's role may add rows and do exactly these two things to old ones: the table's policies say so.
    `account` is what was typed when nobody here has such a login.
    """

    __tablename__ = "access_events"
    __table_args__ = (
        CheckConstraint("outcome in ('done', 'failed', 'refused')", name="outcome"),
        CheckConstraint("person_kind in ('user', 'staff', 'nobody')", name="person_kind"),
        Index("ix_access_events_at", "at"),
        Index("ix_access_events_person", "person_id", "id", postgresql_where=text("person_id is not null")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    at: Mapped[datetime]
    kind: Mapped[str]
    outcome: Mapped[str]
    person_kind: Mapped[str]
    person_id: Mapped[UUID | None]
    person_name: Mapped[str] = mapped_column(server_default="")
    account: Mapped[str] = mapped_column(server_default="")
    address: Mapped[str | None] = mapped_column(INET)
    prefix: Mapped[str | None] = mapped_column(CIDR)
    device: Mapped[str] = mapped_column(server_default="")
    detail: Mapped[str] = mapped_column(server_default="")
    request_id: Mapped[str] = mapped_column(server_default="")


class AccessCount(Model):
    """How many events of a kind a day had: what stays when the rows are forgotten. It names nobody."""

    __tablename__ = "access_counts"

    day: Mapped[date] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    outcome: Mapped[str] = mapped_column(primary_key=True)
    events: Mapped[int]
