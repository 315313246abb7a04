"""One row for each organisation that asks more of logins than the product does. The database holds it to the floor."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from qikbiz.kernel.database import Model

ONLY = 1


class SignInPolicy(Model):
    """`stricter_at` is when the rules for passwords last became stricter. `break_glass` is the hash of the one code."""

    __tablename__ = "sign_in_policy"
    __table_args__ = (
        CheckConstraint("id = 1", name="one"),
        CheckConstraint("least_characters between 15 and 64", name="least_characters"),
        CheckConstraint("factor_for in ('nobody', 'roles', 'everyone')", name="factor_for"),
        CheckConstraint("factor_for <> 'roles' or cardinality(factor_roles) > 0", name="factor_roles"),
        CheckConstraint("idle_minutes between 5 and 60", name="idle_minutes"),
        CheckConstraint("absolute_hours between 1 and 12", name="absolute_hours"),
        CheckConstraint("remember_days between 0 and 30", name="remember_days"),
        CheckConstraint("cardinality(networks) <= 50", name="networks"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, default=ONLY, autoincrement=False)
    least_characters: Mapped[int] = mapped_column(server_default="15")
    asks_range_service: Mapped[bool] = mapped_column(server_default=text("false"))
    factor_for: Mapped[str] = mapped_column(server_default="nobody")
    factor_roles: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    idle_minutes: Mapped[int] = mapped_column(server_default="60")
    absolute_hours: Mapped[int] = mapped_column(server_default="12")
    remember_days: Mapped[int] = mapped_column(server_default="30")
    networks: Mapped[list[str]] = mapped_column(server_default=text("'{}'"))
    sso_only: Mapped[bool] = mapped_column(server_default=text("false"))
    stricter_at: Mapped[datetime | None]
    break_glass: Mapped[bytes | None] = mapped_column(LargeBinary)
    break_glass_made_at: Mapped[datetime | None]
    break_glass_made_by: Mapped[UUID | None]
    changed_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
