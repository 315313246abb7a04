"""Operators write, look, try, schedule and stop announcements at the console; others can't (P17)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text

from qikbiz.audit.models import PlatformAuditEvent
from qikbiz.identity.accounts import session_invalidation
from qikbiz.identity.staff.models import Staff
from qikbiz.kernel.database import control_transaction
from qikbiz.messaging.announcements.models import Announcement
from qikbiz.messaging.mail.markdown import as_html, as_text
from tests.announcements.conftest import AnnouncementHarness

FORM = {
    "subject": "Planned interruption",
    "category": "updates",
    "audience": "everybody",
    "tenants": "acme",
    "body": "On **Sunday** from 6 to 7.\n\n- Save your work.",
}


@pytest.fixture
def olivia(client_for: Callable[..., Any], harness: AnnouncementHarness) -> Any:
    return client_for("olivia")


def write(olivia: Any, **changes: str) -> str:
    answer = olivia.post("/announcements", FORM | changes)
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def one() -> Announcement:
    with control_transaction() as session:
        return session.scalars(select(Announcement)).one()


def acts() -> list[str]:
    with control_transaction() as session:
        query = select(PlatformAuditEvent.action).where(PlatformAuditEvent.action.like("announcement.%"))
        return list(session.scalars(query.order_by(PlatformAuditEvent.seq)))


@pytest.mark.promise("P17")
def test_it_is_written_shown_in_both_forms_tried_and_sent(olivia: Any, harness: AnnouncementHarness) -> None:
    before = len(acts())
    page = write(olivia)
    shown = olivia.get(page)
    assert "- Save your work." in shown.text
    assert f'src="{page}/mail"' in shown.text
    frame = olivia.get(f"{page}/mail", check=False)
    assert "<strong>Sunday</strong>" in frame.text
    assert "sandbox" in frame.headers["Content-Security-Policy"]
    assert "script-src" not in frame.headers["Content-Security-Policy"]
    assert olivia.post(f"{page}/trial").status_code == 303
    with control_transaction() as session:
        tried = "SELECT template, to_address FROM platform_mails WHERE template LIKE 'announcement%'"
        trial = session.execute(text(tried)).all()
    assert [tuple(row) for row in trial] == [("announcement_trial", "olivia@qikbiz.example.com")]
    assert olivia.post(f"{page}/sending/1", {"when": "now"}).status_code == 303
    assert one().state == "scheduled"
    assert acts()[before:] == ["announcement.drafted", "announcement.tried", "announcement.scheduled"]
    harness.run_platform()
    assert one().state == "sending"
    assert "Progress" in olivia.get(page).text
    assert "hx-trigger" in olivia.get(f"{page}/progress").text
    assert olivia.post(f"{page}/stop").status_code == 303
    assert one().state == "stopped"
    assert "Planned interruption" in olivia.get("/announcements").text


@pytest.mark.parametrize("name", ["sam"])
def test_support_may_not_announce(
    client_for: Callable[..., Any], harness: AnnouncementHarness, name: str, olivia: Any
) -> None:
    page = write(olivia)
    other = client_for(name)
    for path in ("/announcements", "/announcements/new", page, f"{page}/mail", f"{page}/edit", f"{page}/progress"):
        assert other.get(path).status_code == 403
    for path in ("/announcements", f"{page}/sending/1", f"{page}/stop", f"{page}/trial", f"{page}/deletion/1"):
        assert other.post(path, FORM).status_code == 403
    assert one().state == "draft"
    assert "Announcements" not in other.get("/tenants").text


def test_tenants_have_no_such_page(client_for: Callable[..., Any], harness: AnnouncementHarness) -> None:
    assert client_for("alice").get("/announcements").status_code == 404


WRONG = (
    ({"subject": ""}, "Enter a subject"),
    ({"subject": "x" * 151}, "150 characters"),
    ({"subject": "a\x07b"}, "one line"),
    ({"body": ""}, "Enter a text"),
    ({"body": "x" * 20_001}, "20,000"),
    ({"category": "notifications.assigned"}, "Not a valid choice"),
    ({"category": "billing"}, "Not a valid choice"),
    ({"audience": "mallory"}, "Not a valid choice"),
    ({"tenants": "acme, nobody-here"}, "no tenant with the address"),
)


def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_kept(olivia: Any, subtests: pytest.Subtests) -> None:
    for wrong, said in WRONG:
        with subtests.test(said):
            answer = olivia.post("/announcements", FORM | wrong)
            assert answer.status_code == 422
            assert said in answer.text
            with control_transaction() as session:
                assert session.scalars(select(Announcement)).all() == []


def test_an_unknown_field_is_refused(olivia: Any) -> None:
    assert olivia.post("/announcements", FORM | {"state": "sent"}).status_code == 400


@pytest.mark.promise("P17")
def test_a_time_is_meant_in_the_operators_own_zone(olivia: Any, harness: AnnouncementHarness) -> None:
    page = write(olivia)
    with control_transaction() as session:
        session.get_one(Staff, harness.world.olivia.id).time_zone = "America/New_York"
    try:
        from qikbiz.identity.accounts.realms import staff_realm

        session_invalidation.invalidate_now(staff_realm(), [harness.world.olivia.id])
        wanted = (datetime.now(ZoneInfo("America/New_York")) + timedelta(days=2)).replace(second=0, microsecond=0)
        assert "America/New_York" in olivia.get(page).text
        answer = olivia.post(f"{page}/sending/1", {"when": "later", "send_at": f"{wanted:%Y-%m-%dT%H:%M}"})
        assert answer.status_code == 303, answer.text
        assert one().send_at == wanted.astimezone(UTC)
        # Its moment has not come: a job that starts early sends nothing.
        harness.run_platform()
        assert one().state == "scheduled"
        assert olivia.post(f"{page}/draft/2").status_code == 303
        assert (one().state, one().send_at) == ("draft", None)
    finally:
        with control_transaction() as session:
            session.get_one(Staff, harness.world.olivia.id).time_zone = ""
        session_invalidation.invalidate_now(staff_realm(), [harness.world.olivia.id])


IMPOSSIBLE_TIMES = ("", "2020-01-01T10:00", "2999-01-01T10:00", "tomorrow", "2027-13-45T99:99")


def test_a_time_that_can_not_be_meant_sends_nothing(olivia: Any, subtests: pytest.Subtests) -> None:
    page = write(olivia)
    for send_at in IMPOSSIBLE_TIMES:
        with subtests.test(send_at):
            answer = olivia.post(f"{page}/sending/1", {"when": "later", "send_at": send_at})
            assert answer.status_code == 422
            assert "Not sent" in answer.text
            assert one().state == "draft"


@pytest.mark.promise("P17")
@pytest.mark.parametrize("category", ["legal", "security"])
def test_what_nobody_can_opt_out_of_is_warned_about_and_confirmed(olivia: Any, category: str) -> None:
    page = write(olivia, category=category)
    assert "No opt-out" in olivia.get(page).text
    answer = olivia.post(f"{page}/sending/1", {"when": "now"})
    assert answer.status_code == 422
    assert "Tick the box" in answer.text
    assert olivia.post(f"{page}/sending/1", {"when": "now", "confirmed": "yes"}).status_code == 303


def test_two_operators_at_once_send_what_was_looked_at(olivia: Any) -> None:
    page = write(olivia)
    assert olivia.post(f"{page}/edit/1", FORM | {"subject": "Changed"}).status_code == 303
    for path, form in ((f"{page}/sending/1", {"when": "now"}), (f"{page}/edit/1", FORM), (f"{page}/deletion/1", {})):
        assert olivia.post(path, form).status_code == 409
    assert (one().subject, one().state) == ("Changed", "draft")


def test_what_is_on_its_way_or_over_can_not_be_changed(olivia: Any) -> None:
    page = write(olivia)
    olivia.post(f"{page}/sending/1", {"when": "now"})
    for path, form in ((f"{page}/edit/2", FORM), (f"{page}/sending/2", {"when": "now"}), (f"{page}/deletion/2", {})):
        assert olivia.post(path, form).status_code == 409
    assert olivia.get(f"{page}/edit").status_code == 303
    olivia.post(f"{page}/stop")
    assert olivia.post(f"{page}/stop").status_code == 409
    assert olivia.post(f"{page}/draft/3").status_code == 409


def test_a_draft_is_deleted(olivia: Any) -> None:
    page = write(olivia)
    assert olivia.post(f"{page}/deletion/1").status_code == 303
    assert olivia.get(page).status_code == 404
    assert acts()[-1] == "announcement.deleted"


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](data:text/html,<script>1</script>)",
    "![x](https://tracker.example/1.gif)",
    "<style>*{display:none}</style>",
    '<a href="https://x.example" style="position:fixed" onclick="x()">y</a>',
    "<javascript:alert(1)>",
    "[x](https://x.example 'onmouseover=alert(1)')",
    "**" * 500,
    "> " * 80 + "deep",
]


@pytest.mark.promise("P17")
@pytest.mark.parametrize("source", HOSTILE)
def test_what_an_operator_writes_is_never_live(source: str) -> None:
    html = str(as_html(source))
    tags = re.findall(r"<[^>]+>", html)
    assert not [tag for tag in tags if re.search(r"script|<img|<style|\son\w+=|javascript:|data:|fixed", tag, re.I)]
    assert as_text(source) is not None
