"""Staff and their sessions, in the control database. Staff have no login in any tenant."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped

from qikbiz.identity.login_columns import FactorColumns, PersonColumns, SessionColumns, TokenColumns, factor_rules
from tenants.control import ControlModel


class Staff(PersonColumns, ControlModel):
    """A platform operator, support agent or auditor."""

    __tablename__ = "staff"
    __table_args__ = (
        CheckConstraint("state in ('invited', 'active', 'disabled')", name="state"),
        CheckConstraint("role in ('operator', 'support', 'auditor')", name="role"),
    )

    role: Mapped[str]

    def role_keys(self) -> tuple[str, ...]:
        return (self.role,)

    def give_roles(self, keys: Sequence[str]) -> None:
        (self.role,) = keys


class StaffSession(SessionColumns, ControlModel):
    __tablename__ = "staff_sessions"


class StaffToken(TokenColumns, ControlModel):
    __tablename__ = "staff_tokens"


class StaffFactor(FactorColumns, ControlModel):
    __tablename__ = "staff_factors"
    __table_args__ = factor_rules("staff_factors")
