"""P19: the old text is served until the day begins in the westernmost zone, the new one after; by one clock."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from qikbiz.kernel import clock
from qikbiz.trust.privacy.business_days import earliest_effective_day, takes_effect_at
from qikbiz.trust.privacy.queries import REMEMBERED_SECONDS
from tests.fixtures.statements import MONDAY, Notary, changed_text
from tests.fixtures.web import Browser

pytestmark = pytest.mark.promise("P19")
NEW = "We keep them for ninety days."
SECOND = timedelta(seconds=1)
DAY = earliest_effective_day(MONDAY.date(), ("US", "DE", "GB"))
NOON = takes_effect_at(DAY)


@pytest.fixture
def announced(notary: Notary) -> Notary:
    """Version 2, announced on a Monday, and its notice seen on each day since."""
    notary.at(MONDAY)
    notary.announce()
    notary.see_every_day(2, MONDAY, 60)
    return notary


@pytest.fixture
def visitor(browser_at: Callable[[str], Browser]) -> Browser:
    return browser_at("localhost")


def test_the_old_text_stands_to_the_last_second_and_the_new_one_after(announced: Notary, visitor: Browser) -> None:
    announced.at(NOON - SECOND)
    assert NEW not in visitor.get("/privacy").text
    assert 'class="announcement"' in visitor.get("/").text
    announced.at(NOON)
    assert NEW in visitor.get("/privacy").text
    assert NEW in visitor.get("/").text
    assert NEW in visitor.get("/promises").text
    assert 'class="announcement"' not in visitor.get("/").text


def test_the_applications_own_clock_changes_nothing(
    announced: Notary, visitor: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(days=400))
    announced.look()
    assert NEW not in visitor.get("/privacy").text


def test_a_file_that_says_otherwise_changes_nothing(
    announced: Notary, visitor: Browser, put_version: Callable[..., object]
) -> None:
    put_version(2, changed_text(ending=" We sell them."), days_early=40)
    announced.at(NOON + SECOND)
    page = visitor.get("/privacy").text
    assert NEW in page
    assert "We sell them" not in page


def test_both_versions_are_shown_side_by_side_with_what_changes_marked(announced: Notary, visitor: Browser) -> None:
    announced.at(MONDAY + SECOND)
    page = visitor.get("/privacy/changes").text
    assert "What will change on" in page
    assert '<ins><span class="visually-hidden">added: </span>We keep them for ninety days.</ins>' in page
    assert page.count("<ins>") == 2, "one is the explanation"
    assert visitor.get("/privacy/versions/2").status_code == 200


def test_a_banner_stands_on_every_public_page(announced: Notary, visitor: Browser) -> None:
    announced.at(MONDAY + SECOND)
    paths = ("/", "/privacy", "/privacy/versions", "/privacy/versions/1", "/privacy/changes", "/promises", "/sign-in")
    for path in paths:
        page = visitor.get(path).text
        assert 'class="announcement"' in page, path
        assert "/privacy/changes" in page, path


def test_administrators_see_it_inside_and_others_do_not(
    announced: Notary, client_for: Callable[[str], Browser]
) -> None:
    announced.at(MONDAY + SECOND)
    assert 'class="announcement"' in client_for("alice").get("/contacts").text
    assert 'class="announcement"' in client_for("mallory").get("/contacts").text
    assert 'class="announcement"' not in client_for("ben").get("/contacts").text
    assert 'class="announcement"' not in client_for("bob").get("/contacts").text


@pytest.mark.parametrize("missed", [{3}, {3, 4}, {1, 8, 15}])
def test_days_on_which_the_notice_did_not_stand_are_made_up_for(
    notary: Notary, visitor: Browser, missed: set[int]
) -> None:
    notary.at(MONDAY)
    notary.announce()
    notary.see_every_day(2, MONDAY, 90, but=frozenset(missed))
    notary.at(NOON + SECOND)
    assert NEW not in visitor.get("/privacy").text
    shown = visitor.get("/privacy/changes").text
    assert "so the notice period is extended" in shown
    day = DAY
    for _ in missed:
        day = earliest_effective_day(day - timedelta(days=1), ("US", "DE", "GB"), 1)
    notary.at(takes_effect_at(day) - SECOND)
    assert NEW not in visitor.get("/privacy").text
    notary.at(takes_effect_at(day))
    assert NEW in visitor.get("/privacy").text


def test_a_look_that_found_nothing_does_not_count_as_a_day(notary: Notary, visitor: Browser) -> None:
    notary.at(MONDAY)
    notary.announce()
    notary.see_every_day(2, MONDAY, 90, but=frozenset({10}))
    notary.see(2, MONDAY + timedelta(days=10), stood=False)
    notary.at(NOON + SECOND)
    assert NEW not in visitor.get("/privacy").text


def test_without_any_look_it_never_takes_effect(notary: Notary, visitor: Browser) -> None:
    notary.at(MONDAY)
    notary.announce()
    for days in (60, 400, 1200):
        notary.at(MONDAY + timedelta(days=days))
        assert NEW not in visitor.get("/privacy").text


def test_the_archive_keeps_every_version_with_dates_and_hashes(announced: Notary, visitor: Browser) -> None:
    announced.at(NOON)
    page = visitor.get("/privacy/versions").text
    for number, state in ((1, "Replaced"), (2, "In force")):
        assert f"Version {number}" in page
        assert state in page
    for number in (1, 2):
        source = visitor.get(f"/privacy/versions/{number}.md")
        assert hashlib.sha256(source.data).hexdigest() in page
    assert visitor.get("/privacy/versions/3").status_code == 404


def test_the_feed_tells_of_the_announcement(announced: Notary, visitor: Browser) -> None:
    announced.at(MONDAY + SECOND)
    answer = visitor.get("/privacy/feed.xml")
    assert answer.mimetype == "application/rss+xml"
    titles = [item.findtext("title") for item in ElementTree.fromstring(answer.data).iter("item")]
    assert titles == ["Version 2 takes effect on 25 Feb 2027", "Version 1 of the privacy statement"]


def test_between_announcements_there_is_nothing_to_compare(notary: Notary, visitor: Browser) -> None:
    answer = visitor.get("/privacy/changes")
    assert (answer.status_code, answer.location) == (302, "/privacy/versions")


def test_the_answer_is_asked_for_again_after_a_few_seconds() -> None:
    assert REMEMBERED_SECONDS <= 10


def test_a_clock_set_back_only_makes_it_later(announced: Notary, visitor: Browser) -> None:
    announced.at(datetime(2026, 12, 1, tzinfo=UTC))
    assert NEW not in visitor.get("/privacy").text
