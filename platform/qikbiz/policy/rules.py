"""The policy for logging in, as the rest of the product reads it, and the floor below which no organisation gets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from qikbiz.accounts import times

SHORTEST, LONGEST_MINIMUM = 15, 64

WhoNeedsFactor = Literal["nobody", "roles", "everyone"]


@dataclass(frozen=True, slots=True)
class Policy:
    """The defaults are the floor. `networks` are those that may log in; none means all.

    `changed_at` is when the rules for passwords last became stricter: older passwords are judged anew at login.
    """

    shortest_password: int = SHORTEST
    asks_range_service: bool = False
    factor_for: WhoNeedsFactor = "nobody"
    factor_roles: tuple[str, ...] = ()
    idle: timedelta = times.IDLE
    absolute: timedelta = times.ABSOLUTE
    remember: timedelta = times.REMEMBER
    networks: tuple[str, ...] = ()
    changed_at: datetime | None = None

    @property
    def may_remember(self) -> bool:
        return self.remember > timedelta(0)

    def requires_factor(self, roles: Iterable[str]) -> bool:
        """Of somebody with these roles, given by their keys."""
        return self.factor_for == "everyone" or (
            self.factor_for == "roles" and not set(self.factor_roles).isdisjoint(roles)
        )


FLOOR = Policy()
# Our staff show a second factor always, and stay logged in nowhere.
STAFF = Policy(factor_for="everyone", remember=timedelta(0))
