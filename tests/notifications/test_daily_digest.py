"""The daily digest: one mail at eight of the person's own morning, and none when there is nothing to say (P17)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text

from qikbiz.identity.accounts.models import User
from qikbiz.jobs.models import Job
from qikbiz.kernel.database import tenant_transaction
from qikbiz.messaging.mail.actions import opened_values
from qikbiz.messaging.mail.models import Mail
from qikbiz.messaging.mail.rendering import render_mail
from qikbiz.messaging.notifications.digest import next_morning
from tests.fixtures.people import Person
from tests.notifications.conftest import News
from workers import run_job

pytestmark = pytest.mark.promise("P17")


@pytest.mark.parametrize(
    ("now", "zone", "morning"),
    [
        ("2026-11-22 07:59", "UTC", "2026-11-22 08:00"),
        ("2026-11-22 08:00", "UTC", "2026-11-23 08:00"),
        ("2026-11-22 20:00", "Europe/Vienna", "2026-11-23 07:00"),
        ("2026-11-22 20:00", "America/New_York", "2026-11-23 13:00"),
        ("2026-11-22 20:00", "Asia/Kathmandu", "2026-11-23 02:15"),
        ("2026-11-22 20:00", "Pacific/Kiritimati", "2026-11-23 18:00"),
        # Clocks go forward, and back.
        ("2027-03-27 20:00", "Europe/Vienna", "2027-03-28 06:00"),
        ("2027-10-30 20:00", "Europe/Vienna", "2027-10-31 07:00"),
    ],
)
def test_the_morning_is_that_of_the_persons_own_zone(now: str, zone: str, morning: str) -> None:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert next_morning(moment, ZoneInfo(zone)) == datetime.fromisoformat(morning).replace(tzinfo=UTC)


def digest_jobs(news: News) -> list[Job]:
    with tenant_transaction(news.world.acme.tenant) as session:
        return list(session.scalars(select(Job).where(Job.kind == "notifications.digest").order_by(Job.run_at)))


def wake(news: News, job: Job) -> str:
    """Do the job as if its morning had come."""
    with tenant_transaction(news.world.acme.tenant) as session:
        session.execute(text("UPDATE jobs SET run_at = now() WHERE id = :id AND state = 'pending'"), {"id": job.id})
    return run_job.perform(news.world.acme.tenant.id, job.id)


def digests(news: News) -> list[tuple[Mail, dict[str, Any]]]:
    with tenant_transaction(news.world.acme.tenant) as session:
        mails = session.scalars(select(Mail).where(Mail.template == "digest").order_by(Mail.id)).all()
        return [(mail, opened_values(mail, news.world.acme.tenant.id)) for mail in mails]


@pytest.fixture
def ben(news: News) -> Person:
    """Ben gets what he is given once a day."""
    news.choose(news.world.ben, "assigned", "daily")
    return news.world.ben


def test_a_day_of_notifications_is_one_mail(news: News, ben: Person) -> None:
    for number in range(3):
        news.notify(ben, subject=f"Thing {number}")
    news.notify(ben, kind="mentioned", subject="Immediately")
    (job,) = digest_jobs(news)
    assert job.run_at > datetime.now(UTC)
    assert wake(news, job) == "done"
    assert wake(news, job) == "not ours"
    ((mail, values),) = digests(news)
    assert mail.to_address == ben.email
    assert [entry["subject"] for entry in values["entries"]] == ["Thing 0", "Thing 1", "Thing 2"]
    rendered = render_mail("digest", values)
    assert rendered.subject == "3 new notifications at Acme Industrial"
    for form in (rendered.text, rendered.html):
        assert "Thing 1" in form
        assert "Immediately" not in form
    assert [template for template, _ in news.mails()].count("mentioned") == 1


def test_what_was_read_meanwhile_is_not_told_again_and_nothing_left_is_no_mail(news: News, ben: Person) -> None:
    news.notify(ben)
    with tenant_transaction(news.world.acme.tenant) as session:
        session.execute(text("UPDATE notifications SET read_at = now()"))
    assert wake(news, digest_jobs(news)[0]) == "done"
    assert digests(news) == []


def test_who_wants_no_digest_any_more_gets_none(news: News, ben: Person) -> None:
    news.notify(ben)
    news.choose(ben, "assigned", "app")
    wake(news, digest_jobs(news)[0])
    assert digests(news) == []


def test_a_digest_is_not_repeated_the_next_day(news: News, ben: Person) -> None:
    news.notify(ben, subject="Old")
    wake(news, digest_jobs(news)[0])
    news.notify(ben, subject="New")
    for job in digest_jobs(news):
        wake(news, job)
    assert [[entry["subject"] for entry in values["entries"]] for _, values in digests(news)] == [["Old"], ["New"]]


def test_more_than_a_mail_can_hold_is_said_as_a_number(news: News, ben: Person) -> None:
    for number in range(45):
        news.notify(ben, subject=f"Thing {number}")
    wake(news, digest_jobs(news)[0])
    ((_, values),) = digests(news)
    assert (len(values["entries"]), values["more"], values["total"]) == (40, 5, 45)
    assert "And 5 more" in render_mail("digest", values).text
    with tenant_transaction(news.world.acme.tenant) as session:
        assert session.scalar(text("SELECT count(*) FROM notifications WHERE mailed_at IS NULL")) == 0


def test_a_login_taken_away_before_the_morning_gets_none(news: News, ben: Person, disabled: Any) -> None:
    news.notify(ben)
    disabled(ben)
    wake(news, digest_jobs(news)[0])
    assert digests(news) == []


def test_everybody_has_a_morning_of_their_own(news: News, ben: Person) -> None:
    bob = news.world.bob
    news.choose(bob, "assigned", "daily")
    with tenant_transaction(news.world.acme.tenant) as session:
        session.get_one(User, bob.id).time_zone = "Asia/Tokyo"
        session.get_one(User, ben.id).time_zone = "America/Los_Angeles"
    try:
        news.notify(ben, bob)
    finally:
        with tenant_transaction(news.world.acme.tenant) as session:
            session.execute(text("UPDATE users SET time_zone = ''"))
    hours = {
        job.arguments["user"]: job.run_at.astimezone(ZoneInfo(zone)).hour
        for job in digest_jobs(news)
        for zone in [{str(ben.id): "America/Los_Angeles", str(bob.id): "Asia/Tokyo"}[job.arguments["user"]]]
    }
    assert hours == {str(ben.id): 8, str(bob.id): 8}
