"""P19: at least thirty business days lie between announcement and effect, counted so that it holds everywhere."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import holidays
import hypothesis
import psycopg
import pytest
from hypothesis import strategies

from provisioning.servers import connect_to_control
from qikbiz.trust.privacy.bundled_versions import founding_statement
from qikbiz.trust.privacy.business_days import (
    UnknownCountry,
    closures,
    earliest_effective_day,
    is_business_day,
    takes_effect_at,
)
from qikbiz.trust.privacy.text import StatementRefused, read_text
from tests.fixtures.statements import MONDAY, Notary, as_notary, changed_text
from tests.fixtures.world import World

pytestmark = pytest.mark.promise("P19")
COUNTRIES = ("US", "DE", "GB")
FIRST, LAST = date(2026, 1, 1), date(2035, 12, 31)
ONE_DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def closed() -> set[date]:
    """Every day that is no business day, made without the product: weekends, and three lists of holidays."""
    years = range(FIRST.year, LAST.year + 2)
    days = set()
    for calendar in (holidays.US(years=years), holidays.Germany(years=years), holidays.UnitedKingdom(years=years)):
        days |= set(calendar.keys())
    day = FIRST
    while day.year <= LAST.year + 1:
        if day.strftime("%a") in ("Sat", "Sun"):
            days.add(day)
        day += ONE_DAY
    return days


def business_days_between(after: date, before: date, closed: set[date]) -> int:
    """Day by day, neither end counted."""
    count, day = 0, after + ONE_DAY
    while day < before:
        if day not in closed:
            count += 1
        day += ONE_DAY
    return count


def test_for_every_day_of_ten_years_the_date_is_the_first_that_leaves_thirty_days(closed: set[date]) -> None:
    day = FIRST
    while day <= LAST:
        effective = earliest_effective_day(day, COUNTRIES)
        assert business_days_between(day, effective, closed) == 30, day
        # The day before would leave fewer: it is the thirtieth itself.
        assert business_days_between(day, effective - ONE_DAY, closed) == 29, day
        assert (effective - day).days > 40
        day += ONE_DAY


def test_the_database_counts_the_same_for_every_day_of_its_calendar(world: World) -> None:
    with connect_to_control(world.settings) as control:
        counted = control.execute(
            "SELECT day, notices.earliest(day, 30) FROM notices.calendar WHERE day < (SELECT max(day) FROM "
            "notices.calendar) - 90 ORDER BY day"
        ).fetchall()
    assert len(counted) > 1500
    assert [row for row in counted if row[1] != earliest_effective_day(row[0], COUNTRIES)] == []


def announcement_day(moment: datetime) -> date:
    """As the notary takes it: the day in UTC+14, where it is latest."""
    return (moment.astimezone(UTC) + timedelta(hours=14)).date()


@pytest.mark.parametrize("hour", [0, 9, 10, 11, 12, 13, 23])
def test_in_every_time_zone_there_are_thirty_whole_business_days(hour: int, closed: set[date]) -> None:
    for number in range(0, 3650, 7):
        announced = datetime(2026, 1, 1, hour, 59, tzinfo=UTC) + number * ONE_DAY
        effective = takes_effect_at(earliest_effective_day(announcement_day(announced), COUNTRIES))
        for zone in range(-12, 15):
            there = timedelta(hours=zone)
            seen, changed = (announced + there).date(), (effective + there).date()
            assert business_days_between(seen, changed, closed) >= 30, (announced, zone)


def test_it_takes_effect_when_the_day_has_begun_everywhere() -> None:
    assert takes_effect_at(date(2027, 2, 26)) == datetime(2027, 2, 26, 12, tzinfo=UTC)


def test_a_day_counts_only_if_it_is_one_in_every_country() -> None:
    assert not is_business_day(date(2027, 7, 5), COUNTRIES), "the day off for Independence Day, in the US alone"
    assert is_business_day(date(2027, 7, 5), ("DE", "GB"))
    assert not is_business_day(date(2027, 7, 4), ("DE",)), "a Sunday"


def test_a_country_without_a_calendar_is_refused() -> None:
    with pytest.raises(UnknownCountry, match="XX"):
        closures(2027, 2027, ("DE", "XX"))


def test_the_database_refuses_a_day_too_early_and_takes_the_first_that_is_not(notary: Notary) -> None:
    notary.at(MONDAY)
    earliest = earliest_effective_day(MONDAY.date(), COUNTRIES)
    with connect_to_control(notary.settings) as control:
        ask = "SELECT notices.announce(2, %s, true, %s, 'Olivia')"
        for wanted in (earliest - ONE_DAY, MONDAY.date(), date(2000, 1, 1), None):
            with pytest.raises(psycopg.Error, match="at the earliest"), control.transaction():
                control.execute(ask, (changed_text(), wanted))
        control.execute(ask, (changed_text(), earliest))


SOURCE = founding_statement().text.source
# Each turns what is promised round, and leaves most words as they are.
TURNED_ROUND = {
    "a heading": SOURCE.replace("## Keeping data safe", "## What we no longer keep safe"),
    "a heading with a second line": SOURCE.replace("## Keeping data safe", "## Keeping data safe\nif you pay for it"),
    "the title": SOURCE.replace("# What we promise", "# What we do not promise"),
    "a paragraph made a heading": SOURCE.replace("QikBiz CRM keeps", "## QikBiz CRM keeps"),
    "a comma": SOURCE.replace("by nobody else", "by nobody, else"),
    "a full stop": SOURCE.replace("may be a charge;", "may be a charge."),
    "a capital": SOURCE.replace("back", "BACK", 1) if "back" in SOURCE else SOURCE.replace("we", "WE", 1),
    "a number": SOURCE.replace("thirty", "30"),
    "a space inside a word": SOURCE.replace("nobody", "no body"),
    "a character that can't be seen": SOURCE.replace("nobody", "no\u200bbody"),
    "two blocks in another order": SOURCE.replace("**P9.**", "**P0.**").replace("**P10.**", "**P9.**"),
    "a word": changed_text(),
}


@pytest.mark.parametrize("change", TURNED_ROUND)
@pytest.mark.parametrize("claimed", [False, None])
def test_a_change_of_meaning_can_not_take_effect_early(notary: Notary, change: str, claimed: bool | None) -> None:
    assert TURNED_ROUND[change] != SOURCE
    ask = "SELECT notices.announce(2, %s, %s, '2027-06-01', 'Olivia')"
    saying = "it is material" if claimed is False else "true or false"
    with connect_to_control(notary.settings) as control, pytest.raises(psycopg.Error, match=saying):
        control.execute(ask, (TURNED_ROUND[change], claimed))


def test_every_change_that_a_reader_sees_counts_in_the_database_and_for_the_loader(world: World) -> None:
    """Any text that is not the one on the page has to wait thirty days."""
    question = "SELECT notices.shown_text(%s) IS DISTINCT FROM notices.shown_text(%s)"
    with connect_to_control(world.settings) as control:

        @hypothesis.settings(max_examples=150, deadline=None)
        @hypothesis.given(
            strategies.integers(0, len(SOURCE)),
            strategies.integers(0, 3),
            strategies.text(alphabet="aA.,#- \n\t\r\u00a0\u200b\u2028*P1é", max_size=4),
        )
        def holds(place: int, gone: int, put: str) -> None:
            body = SOURCE[:place] + put + SOURCE[place + gone :]
            row = control.execute(question, (SOURCE, body)).fetchone()
            try:
                is_changed = read_text(body).blocks != read_text(SOURCE).blocks
            except StatementRefused:
                is_changed = body.split() != SOURCE.split()
            assert row is not None and (row[0] or not is_changed), (place, gone, put)

        holds()


def test_other_line_breaks_of_the_file_need_not_wait_thirty_days(notary: Notary) -> None:
    notary.at(MONDAY)
    broken = SOURCE.replace("by nobody else", "by\n  nobody else").replace("\n\n", "\n\n\n")
    assert broken != SOURCE and read_text(broken).blocks == read_text(SOURCE).blocks
    notary.announce(broken, material=False, days=0)
    with connect_to_control(notary.settings) as control:
        row = control.execute("SELECT takes_effect_on FROM notices.standing WHERE version = 2").fetchone()
    assert row == (MONDAY.date() + ONE_DAY,)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE notices.statements SET effective_on = '2026-01-01'",
        "UPDATE notices.statements SET announced_at = '2020-01-01', announced_on = '2020-01-01'",
        "UPDATE notices.statements SET body = 'We promise nothing.'",
        "DELETE FROM notices.statements",
        "INSERT INTO notices.statements SELECT 2, body, sha256, true, '2020-01-01', '2020-01-01', 'me', 30,"
        " '2020-03-01' FROM notices.statements",
        "INSERT INTO notices.watch (seen_at, version, stood, page_sha256, remark)"
        " VALUES ('2020-01-01', 1, true, '', '')",
        "UPDATE notices.watch SET stood = true",
        "DELETE FROM notices.watch",
        "UPDATE notices.calendar SET is_business = true",
        "INSERT INTO notices.calendar VALUES ('2040-01-02', true, '')",
        "DELETE FROM notices.withdrawals",
        "TRUNCATE notices.statements",
        "DROP SCHEMA notices CASCADE",
        "ALTER TABLE notices.statements DROP CONSTRAINT thirty_business_days",
        "CREATE OR REPLACE FUNCTION notices.clock() RETURNS timestamptz LANGUAGE sql AS 'SELECT now()'",
        "GRANT qb_notary TO CURRENT_USER",
        "SET ROLE qb_notary",
        "REASSIGN OWNED BY qb_notary TO CURRENT_USER",
        "CREATE TRIGGER t BEFORE INSERT ON notices.statements EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    ],
)
def test_the_login_that_serves_pages_can_not(world: World, statement: str) -> None:
    with connect_to_control(world.settings) as control, pytest.raises(psycopg.Error):
        control.execute(statement.encode())


def test_a_weekend_can_not_become_a_business_day_even_by_the_owner(world: World) -> None:
    with as_notary(world.settings) as connection, pytest.raises(psycopg.errors.CheckViolation):
        connection.execute("UPDATE notices.calendar SET is_business = true WHERE because = 'weekend'")


def test_a_holiday_that_is_declared_later_makes_the_notice_longer(world: World, notary: Notary) -> None:
    notary.at(MONDAY)
    notary.announce()
    before = _takes_effect(notary)
    closed = MONDAY.date() + timedelta(days=15)
    with as_notary(world.settings) as connection:
        connection.execute("UPDATE notices.calendar SET is_business = false WHERE day = %s", (closed,))
        try:
            assert _takes_effect(notary) > before
        finally:
            connection.execute("UPDATE notices.calendar SET is_business = true WHERE day = %s", (closed,))


def test_where_the_calendar_ends_nothing_can_be_announced(world: World, notary: Notary) -> None:
    notary.at(datetime(2031, 12, 20, tzinfo=UTC))
    ask = "SELECT notices.announce(2, %s, true, '2033-01-01', 'Olivia')"
    with connect_to_control(world.settings) as control, pytest.raises(psycopg.Error, match="ends too soon"):
        control.execute(ask, (changed_text(),))


def _takes_effect(notary: Notary) -> date:
    with connect_to_control(notary.settings) as control:
        row = control.execute("SELECT takes_effect_on FROM notices.standing WHERE version = 2").fetchone()
    assert row is not None
    found: date = row[0]
    return found
