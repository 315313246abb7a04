"""The users of a tenant, and the durable list of their sessions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from qikbiz.identity.login_columns import FactorColumns, PersonColumns, SessionColumns, TokenColumns, factor_rules
from qikbiz.kernel.database import Model


class User(PersonColumns, Model):
    """A login of one tenant. `roles` are keys: of built-in roles, or the ids of the tenant's own as text."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("state in ('invited', 'active', 'disabled')", name="state"),
        CheckConstraint("cardinality(roles) > 0", name="roles"),
    )

    roles: Mapped[list[str]]

    def role_keys(self) -> tuple[str, ...]:
        return tuple(self.roles)

    def give_roles(self, keys: Sequence[str]) -> None:
        self.roles = list(keys)


class UserSession(SessionColumns, Model):
    """`viewing` says as whom the user looks at the product: role:key or user:id (`identity/roles/view_as.py`)."""

    __tablename__ = "user_sessions"

    viewing: Mapped[str] = mapped_column(server_default="")
    viewing_until: Mapped[datetime | None]


class UserToken(TokenColumns, Model):
    __tablename__ = "user_tokens"


class UserFactor(FactorColumns, Model):
    __tablename__ = "user_factors"
    __table_args__ = factor_rules("user_factors")


class RememberSeries(Model):
    """A remembered device: a series with a one-time token (identity/sessions/remember_me.py)."""

    __tablename__ = "remember_series"
    __table_args__ = (Index("ix_remember_series_user_id", "user_id"),)

    series_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    previous_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    is_seen: Mapped[bool] = mapped_column(server_default=text("true"))
    rotated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    expires_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    device: Mapped[str] = mapped_column(server_default="")
    address_prefix: Mapped[str] = mapped_column(server_default="")
    # A keyed hash of what the browser called itself at the last use. Another one with an old token is a thief.
    agent_mac: Mapped[bytes | None] = mapped_column(LargeBinary)
    revoked_at: Mapped[datetime | None]
    revoked_reason: Mapped[str] = mapped_column(server_default="")
