"""On which day a week begins."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from qikbiz.crm.records.normalize import countries
from qikbiz.crm.workspace import weeks
from tenants.context import Tenant

ACME = Tenant(UUID(int=1), "acme", "Acme", "active", "t_aaaaaaaaaaaa", "t_aaaaaaaaaaaa", "cell")


@pytest.mark.parametrize(
    ("country", "chosen", "first"),
    [
        ("", "", "Monday"),
        ("AT", "", "Monday"),
        ("US", "", "Sunday"),
        ("EG", "", "Saturday"),
        ("MV", "", "Friday"),
        ("US", "monday", "Monday"),
        ("AT", "sunday", "Sunday"),
        ("", "saturday", "Saturday"),
    ],
)
def test_a_week_begins_as_chosen_or_as_usual_in_the_country(country: str, chosen: str, first: str) -> None:
    tenant = replace(ACME, country=country, week_start=chosen)
    for day in (date(2026, 3, number) for number in range(1, 15)):
        start = weeks.start_of_week(day, tenant)
        assert f"{start:%A}" == first and 0 <= (day - start).days < 7
        assert start.weekday() == weeks.first_weekday(tenant)


def test_every_country_that_is_named_exists() -> None:
    assert set(weeks._BY_COUNTRY) <= set(countries())
