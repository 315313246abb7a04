"""Cancel works at any moment until the commit: it waits for no lock that the worker holds, and nothing stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any
from uuid import UUID

import pytest

from qikbiz.kernel.actors import Actor
from qikbiz.transfer.imports import job_steps
from qikbiz.transfer.imports.queries import import_for_changing
from qikbiz.transfer.imports.sql import Link
from tests.fixtures.web import Browser
from tests.fixtures.world import Organisation
from tests.imports.harness import ImportHarness, csv_text
from tests.imports.test_worker_kills import ask
from workers import heartbeat
from workers.run_job import perform

FILE = csv_text(["Last name", "Email", "Company"], [["Lee", "ann@example.com", "Acme"], ["Fox", "bo@example.com", ""]])
# A request that waited for the worker would be refused after three seconds.
MINUTE = "SELECT pg_sleep(60)"


@pytest.fixture
def import_harness(app: Any, organisation: Organisation) -> ImportHarness:
    alice = organisation.people["alice"]
    return ImportHarness(app, organisation.tenant, Actor("user", alice.id, alice.name))


@contextmanager
def in_the_middle(
    import_harness: ImportHarness, import_id: UUID, monkeypatch: pytest.MonkeyPatch, name: str
) -> Iterator[Future[str]]:
    """A worker that has done `name` (apply, undo) and is held by a statement that takes a minute."""
    done, act = Event(), getattr(job_steps, name)

    def long(link: Link, *rest: Any, **named: Any) -> Any:
        found = act(link, *rest, **named)
        done.set()
        link.execute(MINUTE)
        return found

    monkeypatch.setattr(job_steps, name, long)
    monkeypatch.setattr(heartbeat, "SECONDS_BETWEEN_LOOKS", 0.5)
    job_id = import_harness.found(import_id).job_id
    assert job_id is not None

    def work() -> str:
        with import_harness.app.app_context():
            return perform(import_harness.tenant.id, job_id)

    with ThreadPoolExecutor(1) as worker:
        outcome = worker.submit(work)
        assert done.wait(30)
        yield outcome


def test_an_import_is_cancelled_while_its_records_are_being_written(
    import_harness: ImportHarness, organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = import_harness.upload(FILE)
    import_harness.choose(import_id)
    import_harness.check(import_id)
    ask(import_harness, import_id, "apply")
    alice = organisation.browser("alice")
    alice.get("/imports/")
    with in_the_middle(import_harness, import_id, monkeypatch, "apply") as outcome:
        # Asking for it once more is no second import, and doesn't wait either.
        for act in ("application", "cancellation", "cancellation"):
            assert alice.post(f"/imports/{import_id}/{act}").status_code == 303, act
        assert outcome.result(30) == "cancelled"
    assert import_harness.found(import_id).state == "cancelled"
    assert (import_harness.records(), import_harness.records("companies")) == ([], [])
    monkeypatch.undo()
    import_harness.check(import_id)
    assert import_harness.apply(import_id)["created"] == 2
    assert "could not be cancelled" in alice.get(alice.post(f"/imports/{import_id}/cancellation").location).text


def test_an_undo_is_cancelled_and_the_import_stands(
    import_harness: ImportHarness, organisation: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = import_harness.upload(FILE)
    import_harness.choose(import_id)
    import_harness.check(import_id)
    import_harness.apply(import_id)
    ask(import_harness, import_id, "undo")
    alice = organisation.browser("alice")
    alice.get("/imports/")
    with in_the_middle(import_harness, import_id, monkeypatch, "undo") as outcome:
        assert alice.post(f"/imports/{import_id}/cancellation").status_code == 303
        assert outcome.result(30) == "cancelled"
    assert (import_harness.found(import_id).state, len(import_harness.records())) == ("applied", 2)
    assert import_harness.found(import_id).undo_counts == {}


def test_whoever_may_not_import_cancels_nothing(
    import_harness: ImportHarness, organisation: Organisation, client_for: Callable[[str], Browser]
) -> None:
    import_id = import_harness.upload(FILE)
    import_harness.choose(import_id)
    ask(import_harness, import_id, "check")
    assert organisation.browser("bob").post(f"/imports/{import_id}/cancellation").status_code == 403
    assert client_for("mallory").post(f"/imports/{import_id}/cancellation").status_code == 404
    with import_harness.at_work():
        assert import_for_changing(import_id).state == "checking"
