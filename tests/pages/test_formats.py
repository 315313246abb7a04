"""Numbers, sizes and times as people read them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from qikbiz.web import formats

MOMENT = datetime(2026, 11, 3, 13, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, ""), (0, "0"), (1234567, "1,234,567"), (-5, "-5"), (Decimal("12.5"), "12.50"), (Decimal("12.00"), "12")],
)
def test_numbers_have_separators(value: int | Decimal | None, shown: str) -> None:
    assert formats.number(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 KB"),
        (14_500_000, "14.5 MB"),
        (999_999, "1.0 MB"),
        (3 * 10**15, "3000 TB"),
    ],
)
def test_sizes(value: int | None, shown: str) -> None:
    assert formats.size(value) == shown


@pytest.mark.parametrize(
    ("amount", "word", "shown"),
    [
        (0, "contact", "0 contacts"),
        (1, "contact", "1 contact"),
        (2, "company", "2 companies"),
        (2, "day", "2 days"),
        (1204, "row", "1,204 rows"),
    ],
)
def test_words_agree_with_their_number(amount: int, word: str, shown: str) -> None:
    assert formats.count(amount, word) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ann Maria Lee", "AL"),
        ("acme", "A"),
        ("", "?"),
        (None, "?"),
        ("王秀英", "王"),
        ("(Old) Bob", "B"),
        ("- -", "?"),
    ],
)
def test_initials(name: str | None, shown: str) -> None:
    assert formats.initials(name) == shown


def test_a_name_always_has_the_same_colour() -> None:
    assert {formats.hue("Ann Lee") for _ in range(3)} == {formats.hue("Ann Lee")}
    assert {formats.hue(f"name {number}") for number in range(200)} == set(range(1, 9))


@pytest.mark.parametrize(
    ("elapsed", "shown"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=5), "5 hours ago"),
        (timedelta(days=40), "1 month ago"),
        (timedelta(days=800), "2 years ago"),
        (timedelta(days=-3), "in 3 days"),
    ],
)
def test_how_long_ago(elapsed: timedelta, shown: str) -> None:
    element = formats.ago(MOMENT - elapsed, now=MOMENT)
    assert f">{shown}</time>" in element
    assert "data-relative" in element


def test_times_are_shown_in_the_zone_of_the_person(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "time_zone", lambda: ZoneInfo("Europe/Vienna"))
    monkeypatch.setattr(formats, "is_zone_chosen", lambda: True)
    assert ">3 Nov 2026, 14:05</time>" in formats.exact_time(MOMENT)
    assert 'title="3 Nov 2026, 14:05 CET"' in formats.exact_time(MOMENT)
    assert 'datetime="2026-11-03T13:05:00+00:00"' in formats.exact_time(MOMENT)
    assert formats.day(datetime(2026, 11, 3, 23, 30, tzinfo=UTC)) == "4 Nov 2026"
    assert formats.day(date(2026, 11, 3)) == "3 Nov 2026"


def test_where_nobody_chose_a_zone_it_stands_beside_the_time() -> None:
    assert ">3 Nov 2026, 13:05 UTC</time>" in formats.exact_time(MOMENT)


def test_nothing_stays_empty() -> None:
    assert [formats.day(None), formats.exact_time(None), formats.ago(None), formats.duration(None)] == [""] * 4


@pytest.mark.parametrize(("seconds", "shown"), [(0.4, "0 s"), (48, "48 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")])
def test_durations(seconds: float, shown: str) -> None:
    assert formats.duration(seconds) == shown


def test_errors_of_nested_fields_are_read_out_flat() -> None:
    assert formats.error_texts([{"address": ["not an address"]}, {}, [["too long"]]]) == ["not an address", "too long"]
