"""A worker killed at any step of an import: finally each row is there once, and in between nothing was half done."""

from __future__ import annotations

import os
import signal
from uuid import UUID

import pytest
from sqlalchemy import func, select, text, update

from qikbiz.audit.models import AuditEvent
from qikbiz.jobs.models import Job
from qikbiz.kernel.database import db, runtime
from qikbiz.messaging.mail.models import Mail
from qikbiz.transfer.imports import actions, import_context
from qikbiz.transfer.imports.csv_dialect import UnreadableFile
from qikbiz.transfer.imports.job_steps import APPLY_STEPS
from qikbiz.transfer.imports.models import Import
from qikbiz.transfer.imports.queries import import_for_changing
from tests.imports.harness import ImportHarness, csv_text
from workers.run_job import perform

pytestmark = pytest.mark.faults
ROWS = [["Lee", "ann@example.com", "Acme"], ["Fox", "bo@example.com", "Acme"], ["Bad", "nobody", ""]]
ASKS = {"check": actions.ask_check, "apply": actions.ask_apply, "undo": actions.ask_undo}


def ask(import_harness: ImportHarness, import_id: UUID, step: str) -> None:
    with import_harness.at_work():
        ASKS[step](import_for_changing(import_id))


def do(import_harness: ImportHarness, import_id: UUID) -> Import:
    """What a worker does with the job that waits."""
    job_id = import_harness.found(import_id).job_id
    assert job_id is not None
    with import_harness.app.app_context():
        perform(import_harness.tenant.id, job_id)
    return import_harness.found(import_id)


def die_at(point: str, import_harness: ImportHarness, import_id: UUID) -> None:
    job_id = import_harness.found(import_id).job_id
    assert job_id is not None
    child = os.fork()
    if child == 0:
        os.environ["QIKBIZ_FAULT"] = f"{point}=kill"
        with import_harness.app.app_context():
            runtime().after_fork()
            perform(import_harness.tenant.id, job_id)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, f"It went on past {point}."


def let_the_lease_run_out(import_harness: ImportHarness, import_id: UUID) -> None:
    with import_harness.at_work() as session:
        past = text("now() - interval '1 second'")
        mine = Job.id == session.get_one(Import, import_id).job_id
        session.execute(update(Job).where(mine, Job.state == "running").values(lease_until=past))


def test_every_step_may_lose_its_worker_anywhere(import_harness: ImportHarness) -> None:
    """One story with eleven deaths, so that the servers are asked for once."""
    import_id = import_harness.upload(csv_text(["Last name", "Email", "Company"], ROWS))
    import_harness.choose(import_id)
    ask(import_harness, import_id, "check")
    for point in ("job.after_claim", "imports.after_stage"):
        die_at(point, import_harness, import_id)
        let_the_lease_run_out(import_harness, import_id)
        assert import_harness.found(import_id).counts == {}
    assert do(import_harness, import_id).counts["created"] == 2

    ask(import_harness, import_id, "apply")
    for point in ("imports.after_insert", "imports.after_apply"):
        die_at(point, import_harness, import_id)
        let_the_lease_run_out(import_harness, import_id)
        assert (import_harness.records(), import_harness.records("companies")) == ([], [])
    assert do(import_harness, import_id).state == "applied"
    assert (len(import_harness.records()), len(import_harness.records("companies"))) == (2, 1)

    ask(import_harness, import_id, "undo")
    for point in ("imports.after_undo", "job.before_finish"):
        die_at(point, import_harness, import_id)
        let_the_lease_run_out(import_harness, import_id)
        assert len(import_harness.records()) == 2
    assert do(import_harness, import_id).state == "undone"
    assert import_harness.records() == []


def test_a_worker_that_dies_after_the_commit_has_done_its_work_once(import_harness: ImportHarness) -> None:
    import_id = import_harness.upload(csv_text(["Last name", "Email"], [row[:2] for row in ROWS]))
    import_harness.choose(import_id)
    for step in ("check", "apply"):
        ask(import_harness, import_id, step)
        die_at("job.after_finish", import_harness, import_id)
        let_the_lease_run_out(import_harness, import_id)
        do(import_harness, import_id)
    assert len(import_harness.records()) == 2
    with import_harness.at_work():
        events = select(func.count()).select_from(AuditEvent).where(AuditEvent.action == "import.applied")
        mails = select(func.count()).select_from(Mail).where(Mail.template == "import_done")
        assert (db.session.scalar(events), db.session.scalar(mails)) == (1, 1)


def test_a_file_that_breaks_off_stops_the_check_and_says_where(import_harness: ImportHarness) -> None:
    good = "".join(f"Lee,ann{number}@example.com\n" for number in range(50))
    import_id = import_harness.upload(f'Last name,Email\n{good}Fox,"bo@example.com\n')
    import_harness.choose(import_id)
    ask(import_harness, import_id, "check")
    found = do(import_harness, import_id)
    assert (found.state, found.counts) == ("failed", {})
    assert found.problem.startswith("Row 52, column “Email”: a quotation mark is opened and never closed.")
    assert import_harness.records() == []


def test_what_changed_since_the_check_stops_the_job_and_says_so(import_harness: ImportHarness) -> None:
    first, second = (
        import_harness.upload(csv_text(["Last name", "Email"], [["Lee", "ann@example.com"], extra]))
        for extra in (["A", ""], ["B", ""])
    )
    for import_id in (first, second):
        import_harness.choose(import_id)
        ask(import_harness, import_id, "check")
        do(import_harness, import_id)
    import_harness.apply(first)
    ask(import_harness, second, "apply")
    found = do(import_harness, second)
    assert found.state == "checked"
    assert "Nothing was imported. Check again." in found.problem
    ask(import_harness, second, "check")
    assert do(import_harness, second).counts["unchanged"] == 1


def lose_staging(import_harness: ImportHarness) -> None:
    """As PostgreSQL does after a crash: both tables are not logged."""
    with import_harness.at_work() as session:
        session.execute(text("DELETE FROM import_rows"))
        session.execute(text("DELETE FROM import_updates"))


def test_an_import_whose_staging_a_crash_took_is_checked_again_and_applied_as_it_was_shown(
    import_harness: ImportHarness,
) -> None:
    first = import_harness.upload(csv_text(["Last name", "Email"], [["Lee", "ann@example.com"]]))
    import_harness.choose(first)
    import_harness.check(first)
    import_harness.apply(first)
    rows = [["Leigh", "ann@example.com"], ["Poe", "bea@example.com"], ["Bad", "nobody"]]
    import_id = import_harness.upload(csv_text(["Last name", "Email"], rows))
    import_harness.choose(import_id)
    import_harness.check(import_id)
    lose_staging(import_harness)
    ask(import_harness, import_id, "apply")
    found = do(import_harness, import_id)
    assert (found.state, found.problem) == ("applied", "")
    assert (found.counts["created"], found.counts["updated"]) == (1, 1)
    assert sorted((one.last_name, one.email) for one in import_harness.records()) == [
        ("Leigh", "ann@example.com"),
        ("Poe", "bea@example.com"),
    ]


def test_what_is_told_while_it_applies_is_the_step_and_never_the_rows(import_harness: ImportHarness) -> None:
    """The page says “step 2 of 5” of each."""
    import_id = import_harness.upload(csv_text(["Last name", "Email", "Company"], [["Lee", "ann@example.com", "Acme"]]))
    import_harness.choose(import_id)
    import_harness.check(import_id)
    lose_staging(import_harness)
    told: list[tuple[int, int | None, str]] = []
    import_harness.watch = lambda *step: told.append(step)
    import_harness.apply(import_id)
    assert {total for _, total, _ in told} == {APPLY_STEPS}
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)
    assert told[-1][0] == APPLY_STEPS - 1
    assert all(note for _, _, note in told)


def test_when_the_check_again_shows_something_else_it_asks(import_harness: ImportHarness) -> None:
    import_id = import_harness.upload(csv_text(["Last name", "Email"], [["Lee", "ann@example.com"]]))
    import_harness.choose(import_id)
    import_harness.check(import_id)
    other = import_harness.upload(csv_text(["Last name", "Email", "City"], [["Lee", "ann@example.com", "Graz"]]))
    import_harness.choose(other)
    import_harness.check(other)
    import_harness.apply(other)
    lose_staging(import_harness)
    ask(import_harness, import_id, "apply")
    found = do(import_harness, import_id)
    assert (found.state, found.counts["created"], found.counts["unchanged"]) == ("checked", 0, 1)
    assert "the result is now different" in found.problem
    assert len(import_harness.records()) == 1
    # What it shows now can be applied without another check.
    ask(import_harness, import_id, "apply")
    assert do(import_harness, import_id).state == "applied"


def test_a_check_that_was_cancelled_leaves_nothing(import_harness: ImportHarness) -> None:
    import_id = import_harness.upload(csv_text(["Last name", "Email"], [["Lee", "ann@example.com"]]))
    import_harness.choose(import_id)
    ask(import_harness, import_id, "check")
    with import_harness.at_work():
        actions.call_off(import_for_changing(import_id))
    assert do(import_harness, import_id).state == "cancelled"
    import_harness.check(import_id)
    import_harness.apply(import_id)
    assert import_harness.only().email == "ann@example.com"


def test_uploads_are_forgotten_after_their_time_and_the_report_says_so(import_harness: ImportHarness) -> None:
    import_id = import_harness.upload(csv_text(["Last name", "Email"], [["Lee", "ann@example.com"], ["Bad", "nobody"]]))
    import_harness.choose(import_id)
    import_harness.check(import_id)
    import_harness.apply(import_id)
    with import_harness.at_work() as session:
        assert actions.forget_files(session) == 0
        session.execute(update(Import).values(created_at=text("now() - interval '31 days'")))
    with import_harness.at_work() as session:
        assert actions.forget_files(session) == 1
    found = import_harness.found(import_id)
    assert (found.file_key, found.counts["created"], len(import_harness.records())) == (None, 1, 1)
    with import_harness.at_work(), pytest.raises(UnreadableFile, match="no longer kept"):
        import_context.source_of(found)
