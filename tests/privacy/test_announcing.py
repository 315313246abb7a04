"""P19: operators announce a version at the console; the database names the day, and every administrator is notified."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from qikbiz.audit.models import PlatformAuditEvent
from qikbiz.jobs.actions import enqueue
from qikbiz.jobs.models import Job, PlatformJob
from qikbiz.kernel.database import control_transaction, tenant_transaction
from qikbiz.messaging.mail.models import Mail
from qikbiz.trust.privacy.business_days import earliest_effective_day
from qikbiz.trust.privacy.queries import standing
from tenants.runtime import Runtime
from tests.fixtures.statements import MONDAY, Notary, changed_text
from tests.fixtures.web import Browser
from tests.fixtures.world import World

DAY = earliest_effective_day(MONDAY.date(), ("US", "DE", "GB"))
PAGE = "/statement/2/announcement"


@pytest.fixture
def olivia(notary: Notary, put_version: Callable[..., Path], client_for: Callable[[str], Browser]) -> Browser:
    """An operator before a second version that waits to be announced, on a Monday."""
    put_version(2)
    notary.at(MONDAY)
    return client_for("olivia")


def fields(browser: Browser, **changes: str) -> dict[str, str]:
    page = browser.get(PAGE).text
    found = {name: re.search(f'name="{name}"[^>]*value="([^"]*)"', page) for name in ("sha256", "effective_on")}
    return {name: match.group(1) for name, match in found.items() if match} | changes


@pytest.mark.promise("P19")
def test_the_page_names_the_earliest_day_and_what_changes(olivia: Browser) -> None:
    assert "Version 2 is ready to announce" in olivia.get("/statement").text
    page = olivia.get(PAGE).text
    assert f"can take effect on <strong>{DAY.day} {DAY:%b %Y}</strong> at the earliest" in page
    assert "We keep them for ninety days.</ins>" in page
    assert f'value="{DAY.isoformat()}"' in page


@pytest.mark.promise("P19")
def test_an_operator_announces_it_once_and_it_is_recorded(
    olivia: Browser, notary: Notary, app: object, working: Runtime
) -> None:
    form = fields(olivia)
    answer = olivia.post(PAGE, form)
    assert (answer.status_code, answer.location) == (303, "/statement")
    assert "Version 2 is announced" in olivia.get("/statement").text
    assert olivia.post(PAGE, form).status_code == 404, "twice is once"
    with control_transaction() as session:
        event = session.scalars(
            select(PlatformAuditEvent).where(PlatformAuditEvent.action == "statement.announced")
        ).all()[-1]
        jobs = session.scalars(select(PlatformJob.kind)).all()
    assert event.actor_name == "Olivia"
    assert event.details["effective_on"] == DAY.isoformat()
    assert {"jobs.enqueue_for_tenants", "statements.probe"} <= set(jobs)


@pytest.mark.promise("P19")
@pytest.mark.parametrize("wanted", [DAY - timedelta(days=1), MONDAY.date(), "soon", "", "0001-01-01", "9999-12-31"])
def test_a_day_that_can_not_be_is_explained_and_nothing_is_announced(
    olivia: Browser, working: Runtime, wanted: object
) -> None:
    answer = olivia.post(PAGE, fields(olivia, effective_on=str(wanted)))
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert len(standing().versions) == 1


@pytest.mark.promise("P19")
def test_a_text_that_changed_after_it_was_read_is_not_announced(
    olivia: Browser, working: Runtime, put_version: Callable[..., Path]
) -> None:
    form = fields(olivia)
    put_version(2, changed_text(ending=" We sell them."))
    assert olivia.post(PAGE, form).status_code == 409
    assert len(standing().versions) == 1


@pytest.mark.promise("P19")
def test_a_version_file_that_would_be_too_early_can_not_be_announced(
    olivia: Browser, put_version: Callable[..., Path]
) -> None:
    form = fields(olivia)
    put_version(2, days_early=1)
    assert olivia.post(PAGE, form).status_code == 404
    page = olivia.get("/statement").text
    assert "2.md is not loaded" in page
    assert "at the earliest" in page


def test_support_may_not_announce_and_tenants_have_no_such_page(
    olivia: Browser, client_for: Callable[[str], Browser]
) -> None:
    for name, status in (("sam", 403), ("alice", 404)):
        browser = client_for(name)
        assert browser.get("/statement").status_code == status
        assert browser.post(PAGE, {"effective_on": DAY.isoformat()}).status_code == status


@pytest.mark.promise("P19")
def test_two_at_once_are_one(olivia: Browser, notary: Notary, log_in: Callable[..., Browser], world: World) -> None:
    other = log_in(world.olivia)
    first, second = fields(olivia), fields(other)
    assert olivia.post(PAGE, first).status_code == 303
    assert other.post(PAGE, second).status_code in (404, 409, 422)


@pytest.mark.promise("P19")
def test_a_further_version_waits_until_the_first_is_in_force_or_withdrawn(
    olivia: Browser, put_version: Callable[..., Path]
) -> None:
    put_version(3, changed_text(ending=" We keep them for sixty days."))
    olivia.post(PAGE, fields(olivia))
    third = olivia.get("/statement/3/announcement").text
    form = {"sha256": re.search('name="sha256" value="([^"]*)"', third)[1], "effective_on": "2027-06-01"}  # type: ignore[index]
    refused = olivia.post("/statement/3/announcement", form)
    assert refused.status_code == 422
    assert "not in force yet" in refused.text
    assert olivia.post("/statement/2/withdrawal", {"reason": " "}).status_code == 400
    assert olivia.post("/statement/2/withdrawal", {"reason": "It was unclear."}).status_code == 303
    assert olivia.post("/statement/3/announcement", form).status_code == 303


@pytest.mark.promise("P19")
def test_a_withdrawn_version_never_takes_effect_and_stays_in_the_archive(
    olivia: Browser, notary: Notary, browser_at: Callable[[str], Browser]
) -> None:
    olivia.post(PAGE, fields(olivia))
    notary.see_every_day(2, MONDAY, 90)
    olivia.post("/statement/2/withdrawal", {"reason": "It was unclear."})
    notary.at(MONDAY + timedelta(days=90))
    visitor = browser_at("localhost")
    assert "ninety days" not in visitor.get("/privacy").text
    assert "It was unclear." in visitor.get("/privacy/versions").text
    assert olivia.post("/statement/2/withdrawal", {"reason": "Again."}).status_code == 409


@pytest.mark.promise("P19")
def test_what_is_in_force_can_not_be_withdrawn(olivia: Browser, notary: Notary) -> None:
    assert olivia.post("/statement/1/withdrawal", {"reason": "No."}).status_code == 409


@pytest.mark.promise("P19")
def test_each_administrator_is_mailed_once_however_often_the_job_runs(
    olivia: Browser, notary: Notary, world: World, working: Runtime
) -> None:
    from workers.run_job import perform

    olivia.post(PAGE, fields(olivia))
    for attempt in (1, 2):
        with tenant_transaction(world.acme.tenant):
            job = enqueue("statements.notify", {"version": 2, "what": "announced"}, dedupe_key=f"told {attempt}")
        perform(world.acme.tenant.id, job.id)
    with tenant_transaction(world.acme.tenant) as session:
        assert session.get_one(Job, job.id).state == "done"
        mails = session.scalars(select(Mail).where(Mail.template == "statement_announced")).all()
        told = session.scalar(text("SELECT count(*) FROM audit_events WHERE action = 'statement.announced'"))
    assert [mail.to_address for mail in mails] == [world.alice.email]
    assert mails[0].category == "legal"
    assert told
