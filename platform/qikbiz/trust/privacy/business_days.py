"""Business days of the notice: a day counts only if it is one in every country that we name (P19).

The database counts for itself, over a calendar that is filled from here (provisioning/notary). What stands here says
beforehand whether the file of a new version can be right, and the two are compared by a test.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

NOTICE_DAYS = 30
# The day of taking effect is that of UTC-12, where it begins last.
_NOON = timedelta(hours=12)


class UnknownCountry(ValueError):
    """A configured country has no list of holidays."""


def closures(first_year: int, last_year: int, countries: Sequence[str]) -> dict[date, str]:
    """The holidays of all `countries` in these years, each with the country and its name. Raises UnknownCountry."""
    # A tenth of every process's start, and few ever ask.
    import holidays  # noqa: PLC0415

    found: dict[date, str] = {}
    for country in countries:
        try:
            listed = holidays.country_holidays(country, years=range(first_year, last_year + 1))
        except NotImplementedError as error:
            raise UnknownCountry(f"QIKBIZ_HOLIDAY_COUNTRIES names {country}; its holidays are not known.") from error
        for day, name in listed.items():
            found[day] = f"{found[day]}; {country}: {name}" if day in found else f"{country}: {name}"
    return found


def is_business_day(day: date, countries: tuple[str, ...]) -> bool:
    return day.isoweekday() < 6 and day not in _closures_of(day.year, countries)


def earliest_effective_day(announced_on: date, countries: tuple[str, ...], business_days: int = NOTICE_DAYS) -> date:
    """The day after the last of `business_days` business days; the day of the announcement does not count."""
    day, counted = announced_on, 0
    while counted < business_days:
        day += timedelta(days=1)
        counted += is_business_day(day, countries)
    return day + timedelta(days=1)


def takes_effect_at(day: date) -> datetime:
    """00:00 of that day in UTC-12."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + _NOON


@lru_cache(maxsize=64)
def _closures_of(year: int, countries: tuple[str, ...]) -> frozenset[date]:
    return frozenset(closures(year, year, countries))
