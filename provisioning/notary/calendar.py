"""Fill the calendar of business days ahead. A day, once in it, can be closed but never opened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from provisioning.servers import Connection
from qikbiz.trust.privacy.business_days import closures

YEARS_AHEAD = 5


def fill_calendar(connection: Connection, countries: Sequence[str]) -> None:
    """Add the days that are missing, and close coming ones on which a country has a holiday after all."""
    row = connection.execute("SELECT max(day), notices.clock()::date FROM notices.calendar").fetchone()
    assert row is not None
    last, today = row
    first = last + timedelta(days=1) if last else date(today.year, 1, 1)
    end = date(today.year + YEARS_AHEAD, 12, 31)
    closed = closures(today.year, end.year, countries)
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO notices.calendar (day, is_business, because) VALUES (%s, %s, %s)",
            [_row(first + timedelta(days=n), closed) for n in range((end - first).days + 1)],
        )
        cursor.executemany(
            "UPDATE notices.calendar SET is_business = false, because = %s WHERE day = %s AND is_business",
            [(because, day) for day, because in closed.items() if day > today],
        )


def _row(day: date, closed: dict[date, str]) -> tuple[date, bool, str]:
    if day.isoweekday() >= 6:
        return day, False, "weekend"
    return day, day not in closed, closed.get(day, "")
