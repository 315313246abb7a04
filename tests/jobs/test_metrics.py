"""What a monitor sees: jobs and mails of all tenants by kind, the sweeper's age, pools, workers and servers."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prometheus_client import generate_latest
from sqlalchemy import select, text, update

from qikbiz.jobs import actions, queries
from qikbiz.jobs.models import Job, PlatformJob
from qikbiz.kernel.database import control_transaction, tenant_transaction
from qikbiz.messaging.mail import actions as mails
from qikbiz.web.platform_metrics import platform_registry
from tenants.runtime import Runtime
from tests.fixtures.web import Browser
from tests.fixtures.world import World
from tests.jobs.test_sweeper import _empty
from workers import sweeper as sweeping
from workers.schedule import start_due_work
from workers.sweeper import Sweeper


@pytest.fixture(autouse=True)
def quiet(world: World, working: Runtime, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(sweeping, "start_due_work", lambda: start_due_work(entries=()))
    _empty(world)
    yield
    _empty(world)


def round_of_the_sweeper(app: Any) -> None:
    sweeper = Sweeper(app)
    assert sweeper.round()
    assert sweeper._lock is not None
    sweeper._lock.close()


def test_jobs_and_mails_of_every_tenant_are_counted_by_kind(world: World, app: Any) -> None:
    for tenant in (world.acme.tenant, world.globex.tenant):
        with tenant_transaction(tenant) as session:
            session.execute(text("DELETE FROM mails"))
            values = {"name": "Bob", "organisation": "A", "url": "https://a.example/", "hours": 1}
            mails.send("password_reset", to_address="bob@example.com", values=values, dedupe_key="one")
            actions.enqueue("test.leave_effect", {})
            failed = actions.enqueue("test.refuse", {})
            long_ago = datetime.now(UTC) - timedelta(minutes=10)
            session.execute(update(Job).where(Job.id != failed.id).values(run_at=long_ago))
            session.execute(update(Job).where(Job.id == failed.id).values(state="failed"))
    with control_transaction() as session:
        session.add(PlatformJob(kind="test.platform", queue="checks", state="running"))
    round_of_the_sweeper(app)
    shown = generate_latest(platform_registry()).decode()
    for line in (
        'qikbiz_jobs{kind="test.leave_effect",state="waiting"} 2.0',
        'qikbiz_jobs{kind="test.refuse",state="failed"} 2.0',
        'qikbiz_jobs{kind="mail.send",state="waiting"} 2.0',
        'qikbiz_jobs{kind="test.platform",state="running"} 1.0',
        'qikbiz_mails{state="pending"} 2.0',
        'qikbiz_server_up{server="control"} 1.0',
        'qikbiz_server_up{server="tenants"} 1.0',
        'qikbiz_server_up{server="redis"} 1.0',
        'qikbiz_workers{queue="imports"} 0.0',
    ):
        assert line in shown, line
    figures = dict(line.rsplit(" ", 1) for line in shown.splitlines() if not line.startswith("#"))
    assert float(figures["qikbiz_sweeper_age_seconds"]) < 30
    assert 590 < float(figures['qikbiz_jobs_oldest_seconds{kind="test.leave_effect"}']) < 700
    assert float(figures["qikbiz_mails_oldest_seconds"]) < 60
    assert float(figures['qikbiz_queue_length{queue="checks"}']) >= 2
    assert 'qikbiz_database_pool_size{database="tenants"}' in figures
    assert "acme" not in shown and "bob" not in shown
    for tenant in (world.acme.tenant, world.globex.tenant):
        with tenant_transaction(tenant) as session:
            session.execute(text("DELETE FROM mails"))


def test_a_process_is_ready_only_while_a_tenants_page_could_be_served(
    client_for: Callable[[str], Browser], app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = client_for("alice")

    def ready() -> tuple[int, dict[str, bool]]:
        app.extensions.pop("qikbiz.readiness", None)
        answer = alice.get("/readyz", check=False)
        return answer.status_code, json.loads(answer.text)["checks"]

    assert ready() == (200, {"control": True, "directory": True, "tenants": True, "redis": True})
    # As with a lost key ring, a refused login or a tenants' server that is away: no page could be served.
    monkeypatch.setattr(app.extensions["qikbiz"].cells, "_find_dsn", lambda _cell: None)
    status, checks = ready()
    assert (status, checks["tenants"], checks["control"]) == (503, False, True)
    monkeypatch.undo()
    assert ready()[0] == 200


def test_the_time_left_is_not_said_while_no_worker_works(world: World) -> None:
    with tenant_transaction(world.acme.tenant) as session:
        job = actions.enqueue("test.leave_effect", {})
        now = datetime.now(UTC)
        values = {"state": "running", "progress_done": 10, "progress_total": 100}
        values |= {"started_at": now - timedelta(minutes=1), "lease_until": now + timedelta(seconds=20)}
        session.execute(update(Job).where(Job.id == job.id).values(values))
        found = session.scalars(select(Job).where(Job.id == job.id).execution_options(populate_existing=True)).one()
        worked_on = queries.progress_of(found)
        assert worked_on.rest is not None and not worked_on.is_waiting
        found.lease_until = now - timedelta(seconds=1)
        left = queries.progress_of(found)
        assert (left.rest, left.is_waiting, left.is_over) == (None, True, False)
