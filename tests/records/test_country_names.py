"""Countries are offered under the names that they use today; earlier names and other languages are understood."""

from __future__ import annotations

import phonenumbers
import pytest

from qikbiz.crm.schema.normalize import countries, normalise_country
from qikbiz.crm.schema.validation import FieldProblem


@pytest.mark.parametrize(
    ("code", "today", "earlier"),
    [
        ("TR", "Türkiye", "Turkey"),
        ("MK", "North Macedonia", "Macedonia"),
        ("SZ", "Eswatini", "Swaziland"),
        ("CV", "Cabo Verde", "Cape Verde"),
        ("CZ", "Czechia", "Czech Republic"),
        ("CD", "Democratic Republic of the Congo", "The Democratic Republic Of Congo"),
        ("TL", "Timor-Leste", "Timor Oriental"),
    ],
)
def test_a_country_has_its_name_of_today_and_is_found_by_the_earlier_one(code: str, today: str, earlier: str) -> None:
    assert countries()[code] == today
    assert normalise_country(today) == normalise_country(earlier) == normalise_country(code) == code


def test_every_region_with_telephones_can_be_chosen_and_none_that_is_gone() -> None:
    # Ascension and Tristan da Cunha belong to Saint Helena.
    assert set(phonenumbers.SUPPORTED_REGIONS) - {"AC", "TA"} <= set(countries())
    assert not {"AN", "YU", "CS", "ZR", "TP", "BU"} & set(countries())
    with pytest.raises(FieldProblem):
        normalise_country("Netherlands Antilles")


def test_names_are_written_as_names_are() -> None:
    assert [name for name in countries().values() if name != name.strip() or " And " in name or " Of " in name] == []
    assert len(set(countries().values())) == len(countries())
