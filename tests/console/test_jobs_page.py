"""The console's page of jobs: what failed comes first, what went well is folded by kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from sqlalchemy import delete

from qikbiz.jobs.models import PlatformJob
from qikbiz.kernel.database import control_transaction
from tenants.control import new_id
from tenants.runtime import Runtime
from tests.fixtures.web import Browser

KIND = "abuse.check"


@pytest.fixture
def jobs(working: Runtime) -> Iterator[dict[str, UUID]]:
    """One job in each state, and two more that are done."""
    states = ("failed", "quarantined", "pending", "running", "done", "cancelled")
    made = {state: new_id() for state in states}
    more = [new_id(), new_id()]
    with control_transaction() as control:
        for state, job_id in (*made.items(), *(("done", one) for one in more)):
            about = {"unit": f"about-{state}"}
            control.add(PlatformJob(id=job_id, kind=KIND, queue="platform", arguments=about, state=state))
    yield made
    with control_transaction() as control:
        control.execute(delete(PlatformJob).where(PlatformJob.id.in_([*made.values(), *more])))


def test_failures_stand_first_and_successes_are_folded(
    client_for: Callable[[str], Browser], jobs: dict[str, UUID]
) -> None:
    page = client_for("olivia").get("/jobs").text
    failed, _, rest = page.partition(">Pending and running</h2>")
    assert f"/jobs/{jobs['failed']}" in failed and f"/jobs/{jobs['quarantined']}" in failed
    open_, _, folded = rest.partition('<details class="folded">')
    assert f"/jobs/{jobs['pending']}" in open_ and f"/jobs/{jobs['running']}" in open_
    assert str(jobs["done"]) not in page and "/jobs?state=done" in folded
    assert "<summary><h2>Finished in the last 24 hours</h2>" in folded


def test_one_state_is_listed_job_by_job(client_for: Callable[[str], Browser], jobs: dict[str, UUID]) -> None:
    page = client_for("olivia").get("/jobs?state=done").text
    assert f"/jobs/{jobs['done']}" in page and str(jobs["failed"]) not in page
    assert str(jobs["failed"]) in client_for("olivia").get("/jobs?state=rubbish").text


def test_a_tenants_page_leads_with_name_state_and_people(client_for: Callable[[str], Browser]) -> None:
    page = client_for("olivia").get("/tenants/acme").text
    order = [
        page.index(words)
        for words in ("<h1", "state state-good", ">Users<", "Contact and addresses", "Technical details")
    ]
    assert order == sorted(order)
    assert page.index("Technical details") < page.index(">Schema<") < page.index(">Cell<")
