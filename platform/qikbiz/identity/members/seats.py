"""How many people may have a login: a limit that operators set, shown to the organisation and refused beyond (P14).

A user who can sign in or is invited takes a seat. A limit below what is taken ends no login; it stops new ones.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from qikbiz.identity.accounts.models import User
from qikbiz.identity.accounts.queries import lock_administrators
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import Conflict
from tenants.context import current_tenant


class NoSeatLeft(Conflict):
    """One more login would go beyond what was agreed."""


@dataclass(frozen=True, slots=True)
class Seats:
    """`limit` is None where nobody set one."""

    taken: int
    limit: int | None

    @property
    def left(self) -> int | None:
        return None if self.limit is None else max(self.limit - self.taken, 0)

    @property
    def words(self) -> str:
        return f"{self.taken:,} of {self.limit:,}" if self.limit is not None else f"{self.taken:,}, without a limit"

    def problem_with(self, wanted: int) -> str:
        """Why so many more logins don't fit, or an empty text."""
        if self.left is None or wanted <= self.left:
            return ""
        free = f" {self.left:,} free, and this would take {wanted:,}." if self.left else ""
        return f"{self.words} seats are taken.{free} Deactivate a user, or ask us for more seats under Help."


def seats() -> Seats:
    """Of the tenant entered."""
    taken = select(func.count()).where(User.state != "disabled")
    return Seats(db.session.scalar(taken) or 0, current_tenant().seats)


def take_seat() -> None:
    """Check that one more login fits. Raises NoSeatLeft."""
    if current_tenant().seats is None:
        return
    # Tenants have no locks of their own: transactions that add a login queue at the administrators' rows.
    lock_administrators()
    problem = seats().problem_with(1)
    if problem:
        raise NoSeatLeft(problem)
