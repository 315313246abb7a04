"""The audit's pages show words for people, not stored values."""

from __future__ import annotations

import pytest

from qikbiz.audit.labels import heading, lines_of


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("user.roles_changed", "User: roles changed"),
        ("access_log", "Access log"),
        ("platform-job.seen", "Platform job: seen"),
        ("contact.read", "Contact: viewed"),
        ("company.read", "Company: viewed"),
        ("staff.saw", "Support: viewed"),
        ("grant.ended", "Support access: ended"),
        ("import.kept", "Import: undo requested, all records kept"),
        ("import.skipped_cells_fetched", "Import: rows with skipped cells downloaded"),
    ],
)
def test_acts_read_as_a_thing_and_what_happened_to_it(action: str, words: str) -> None:
    assert heading(action) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (True, "yes"),
        (False, "no"),
        (["see", "export"], "see, export"),
        ("2026-11-23T21:39:00+00:00", "23 Nov 2026, 21:39 UTC"),
        ("2026-02-31T21:39:00+00:00", "2026-02-31T21:39:00+00:00"),
        ("2026-11-23T21:39:00", "2026-11-23T21:39:00"),
        ([], ""),
        (None, ""),
        (1204, "1204"),
        ({"rows": 3}, '{"rows": 3}'),
        ("x" * 400, "x" * 300 + "…"),
    ],
)
def test_values_read_as_words(value: object, words: str) -> None:
    assert lines_of({"given_to_id": value}) == [("Given to", "", words)]


def test_what_changed_shows_old_and_new_and_nothing_that_the_reader_may_not_know() -> None:
    details = {"changes": {"city": ["Graz", None], "phones": ["1", "2"], "odd": "not a pair"}, "remembered": True}
    assert lines_of(details, frozenset({"phones"})) == [("City", "Graz", ""), ("Remembered", "", "yes")]
