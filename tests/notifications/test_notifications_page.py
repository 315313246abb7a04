"""The page of notifications: what is unread is counted everywhere, read one by one or all, and forgotten in time."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from qikbiz.jobs.actions import enqueue
from qikbiz.kernel import clock
from qikbiz.kernel.database import tenant_transaction
from tenants.control import new_id
from tests.notifications.conftest import News
from workers import run_job
from workers.schedule import schedule

MARK = re.compile(r'class="unread">(\d+)<span class="visually-hidden"> unread')


def shown(browser: Any) -> str | None:
    found = MARK.search(browser.get("/profile").text)
    return found[1] if found else None


@pytest.mark.promise("P17")
def test_the_number_of_unread_stands_on_every_page_and_follows(client_for: Callable[..., Any], news: News) -> None:
    ben = client_for("ben")
    assert shown(ben) is None
    for number in range(3):
        news.notify(news.world.ben, subject=f"Thing {number}")
    assert shown(ben) == "3"
    first = news.of(news.world.ben)[0]
    assert ben.post(f"/notifications/{first.id}/reading").status_code == 303
    assert shown(ben) == "2"
    assert shown(client_for("alice")) is None


def test_the_number_costs_no_sql_while_nothing_changes(client_for: Callable[..., Any], news: News, app: Any) -> None:
    ben = client_for("ben")
    news.notify(news.world.ben)
    shown(ben)
    statements: list[str] = []
    engine = app.extensions["qikbiz"].cells.engine(news.world.acme.tenant.cell)
    event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    assert shown(ben) == "1"
    assert not [one for one in statements if "notifications" in one]


def test_without_redis_the_number_is_counted(client_for: Callable[..., Any], news: News, app: Any) -> None:
    from contextlib import contextmanager

    from tenants.redis import RedisAway

    ben = client_for("ben")
    news.notify(news.world.ben)
    store = app.extensions["qikbiz"].redis

    @contextmanager
    def away() -> Any:
        raise RedisAway
        yield

    before, store.client = store.client, away
    try:
        assert shown(ben) == "1"
    finally:
        store.client = before


@pytest.mark.promise("P17")
def test_all_are_marked_up_to_what_was_seen(client_for: Callable[..., Any], news: News) -> None:
    ben, person = client_for("ben"), news.world.ben
    news.notify(person, subject="Seen")
    page = ben.get("/notifications").text
    seen = re.search(r'name="up_to" value="([^"]+)"', page)
    assert seen
    news.notify(person, subject="Came meanwhile")
    for _ in range(2):
        assert ben.post("/notifications/readings", {"up_to": seen[1]}).status_code == 303
    assert [row.read_at is not None for row in news.of(person)] == [True, False]
    unread = ben.get("/notifications?show=unread").text
    assert "Came meanwhile" in unread
    assert ">Seen" not in unread


@pytest.mark.parametrize("form", [{}, {"up_to": "x"}, {"up_to": "' or 1=1"}])
def test_rubbish_marks_nothing(client_for: Callable[..., Any], news: News, form: dict[str, str]) -> None:
    news.notify(news.world.ben)
    assert client_for("ben").post("/notifications/readings", form).status_code == 400
    assert news.of(news.world.ben)[0].read_at is None


@pytest.mark.promise("P17")
def test_a_colleagues_notification_can_not_be_read_or_marked(client_for: Callable[..., Any], news: News) -> None:
    news.notify(news.world.ben, subject="For Ben alone")
    (told,) = news.of(news.world.ben)
    alice = client_for("alice")
    assert "For Ben alone" not in alice.get("/notifications").text
    assert alice.post(f"/notifications/{told.id}/reading").status_code == 404
    assert alice.post("/notifications/readings", {"up_to": str(told.id)}).status_code == 303
    assert alice.post(f"/notifications/{new_id()}/reading").status_code == 404
    assert news.of(news.world.ben)[0].read_at is None


def test_a_long_list_goes_on_on_a_next_page(client_for: Callable[..., Any], news: News) -> None:
    news.choose(news.world.ben, "assigned", "app")
    for number in range(60):
        news.notify(news.world.ben, subject=f"Thing number {number:02}")
    ben = client_for("ben")
    first = ben.get("/notifications").text
    assert "Thing number 59" in first
    assert "Thing number 09" not in first
    following = re.search(r'href="(/notifications\?before=[^"]+)"', first)
    assert following
    second = ben.get(following[1]).text
    assert "Thing number 09" in second
    assert "Thing number 10" not in second


def test_there_is_a_word_for_nothing(client_for: Callable[..., Any], news: News) -> None:
    ben = client_for("ben")
    assert "Nothing yet" in ben.get("/notifications").text
    assert "All read" in ben.get("/notifications?show=unread").text


@pytest.mark.promise("P17")
def test_after_ninety_days_they_are_forgotten_by_a_daily_job(news: News, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [entry for entry in schedule() if entry.kind == "notifications.delete_old" and entry.each_tenant]
    news.notify(news.world.ben)
    for days, left in ((89, 1), (91, 0)):
        later = clock.now() + timedelta(days=days)
        with monkeypatch.context() as moved:
            moved.setattr(clock, "now", lambda later=later: later)
            with tenant_transaction(news.world.acme.tenant):
                job = enqueue("notifications.delete_old", {})
            assert run_job.perform(news.world.acme.tenant.id, job.id) == "done"
        assert len(news.of(news.world.ben)) == left
    with tenant_transaction(news.world.acme.tenant) as session:
        session.execute(text("DELETE FROM jobs"))
