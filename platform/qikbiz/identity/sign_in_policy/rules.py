"""The policy for signing in, as the rest of the product reads it, and the floor below which no organisation gets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from qikbiz.identity.accounts import lifetimes
from qikbiz.kernel.errors import Failure

# (weakest, strictest) of what may be set; the weakest is the floor, which is also the default. The database has the
# same bounds (identity/sign_in_policy/models.py), and a test compares them.
CHARACTERS = (15, 64)
IDLE_MINUTES = (60, 5)
ABSOLUTE_HOURS = (12, 1)
REMEMBER_DAYS = (30, 0)
SHORTEST = CHARACTERS[0]

WhoNeedsFactor = Literal["nobody", "roles", "everyone"]


class BelowTheFloor(Failure):
    """A policy may ask for more than the product does, never for less."""

    key = "below_the_floor"


@dataclass(frozen=True, slots=True)
class Policy:
    """The defaults are the floor. `networks` are those that may sign in; none means all.

    `stricter_at` is when the rules for passwords last became stricter: older passwords are judged anew at login.
    """

    least_characters: int = SHORTEST
    asks_range_service: bool = False
    factor_for: WhoNeedsFactor = "nobody"
    factor_roles: tuple[str, ...] = ()
    idle_minutes: int = IDLE_MINUTES[0]
    absolute_hours: int = ABSOLUTE_HOURS[0]
    remember_days: int = REMEMBER_DAYS[0]
    networks: tuple[str, ...] = ()
    sso_only: bool = False
    stricter_at: datetime | None = None

    @property
    def idle(self) -> timedelta:
        return min(timedelta(minutes=self.idle_minutes), lifetimes.IDLE)

    @property
    def absolute(self) -> timedelta:
        return min(timedelta(hours=self.absolute_hours), lifetimes.ABSOLUTE)

    @property
    def remember(self) -> timedelta:
        return min(timedelta(days=self.remember_days), lifetimes.REMEMBER)

    @property
    def is_floor_for_passwords(self) -> bool:
        """Whether it asks of a password no more than every password had to meet when it was set."""
        return self.least_characters == SHORTEST and not self.asks_range_service

    @property
    def may_remember(self) -> bool:
        return self.remember_days > 0

    def requires_factor(self, roles: Iterable[str]) -> bool:
        """Of a user with these roles, given by their keys."""
        return self.factor_for == "everyone" or (
            self.factor_for == "roles" and not set(self.factor_roles).isdisjoint(roles)
        )

    def check(self) -> None:
        """Raises BelowTheFloor with the rule that is broken."""
        for value, (weakest, strictest), what in (
            (self.least_characters, CHARACTERS, "characters of a password"),
            (self.idle_minutes, IDLE_MINUTES, "minutes without use"),
            (self.absolute_hours, ABSOLUTE_HOURS, "hours of a session"),
            (self.remember_days, REMEMBER_DAYS, "days on a remembered device"),
        ):
            low, high = sorted((weakest, strictest))
            if not low <= value <= high:
                raise BelowTheFloor(f"The {what} must be between {low} and {high}.")
        if self.factor_for == "roles" and not self.factor_roles:
            raise BelowTheFloor("Choose at least one role that needs a second factor, or make it optional.")


class HasPassword(Protocol):
    """A login, as far as its password's age goes."""

    @property
    def password_changed_at(self) -> datetime | None: ...
    @property
    def password_judged_at(self) -> datetime | None: ...


def is_password_in_doubt(who: HasPassword, policy: Policy) -> bool:
    """Whether the rules became stricter after this password was chosen, and it was not judged by them since."""
    judged = [moment for moment in (who.password_changed_at, who.password_judged_at) if moment is not None]
    return policy.stricter_at is not None and (not judged or max(judged) < policy.stricter_at)


FLOOR = Policy()
# Our staff show a second factor always, and stay signed in nowhere.
STAFF = Policy(factor_for="everyone", remember_days=0)
