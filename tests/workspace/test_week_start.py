"""On which day a week begins."""

from __future__ import annotations

from calendar import day_name
from dataclasses import replace
from uuid import UUID

import pytest

from qikbiz.crm.schema.normalize import countries
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
    assert day_name[weeks.first_weekday(tenant)] == first


def test_every_country_that_is_named_exists() -> None:
    assert set(weeks._BY_COUNTRY) <= set(countries())
