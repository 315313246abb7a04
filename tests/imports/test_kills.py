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
from qikbiz.transfer.imports.jobs import APPLY_STEPS
from qikbiz.transfer.imports.models import Import
from qikbiz.transfer.imports.queries import import_for_changing
from tests.imports.desk import Desk, csv_text
from workers.run_job import perform

pytestmark = pytest.mark.faults
ROWS = [["Lee", "ann@example.com", "Acme"], ["Fox", "bo@example.com", "Acme"], ["Bad", "nobody", ""]]
ASKS = {"check": actions.ask_check, "apply": actions.ask_apply, "undo": actions.ask_undo}


def ask(desk: Desk, import_id: UUID, step: str) -> None:
    with desk.at_work():
        ASKS[step](import_for_changing(import_id))


def do(desk: Desk, import_id: UUID) -> Import:
    """What a worker does with the job that waits."""
    job_id = desk.found(import_id).job_id
    assert job_id is not None
    with desk.app.app_context():
        perform(desk.tenant.id, job_id)
    return desk.found(import_id)


def die_at(point: str, desk: Desk, import_id: UUID) -> None:
    job_id = desk.found(import_id).job_id
    assert job_id is not None
    child = os.fork()
    if child == 0:
        os.environ["QIKBIZ_FAULT"] = f"{point}=kill"
        with desk.app.app_context():
            runtime().after_fork()
            perform(desk.tenant.id, job_id)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, f"It went on past {point}."


def let_the_lease_run_out(desk: Desk, import_id: UUID) -> None:
    with desk.at_work() as session:
        past = text("now() - interval '1 second'")
        mine = Job.id == session.get_one(Import, import_id).job_id
        session.execute(update(Job).where(mine, Job.state == "running").values(lease_until=past))


def test_every_step_may_lose_its_worker_anywhere(desk: Desk) -> None:
    """One story with eleven deaths, so that the servers are asked for once."""
    import_id = desk.upload(csv_text(["Last name", "Email", "Company"], ROWS))
    desk.choose(import_id)
    ask(desk, import_id, "check")
    for point in ("job.after_claim", "imports.after_stage"):
        die_at(point, desk, import_id)
        let_the_lease_run_out(desk, import_id)
        assert desk.found(import_id).counts == {}
    assert do(desk, import_id).counts["created"] == 2

    ask(desk, import_id, "apply")
    for point in ("imports.after_insert", "imports.after_apply"):
        die_at(point, desk, import_id)
        let_the_lease_run_out(desk, import_id)
        assert (desk.records(), desk.records("companies")) == ([], [])
    assert do(desk, import_id).state == "applied"
    assert (len(desk.records()), len(desk.records("companies"))) == (2, 1)

    ask(desk, import_id, "undo")
    for point in ("imports.after_undo", "job.before_finish"):
        die_at(point, desk, import_id)
        let_the_lease_run_out(desk, import_id)
        assert len(desk.records()) == 2
    assert do(desk, import_id).state == "undone"
    assert desk.records() == []


def test_a_worker_that_dies_after_the_commit_has_done_its_work_once(desk: Desk) -> None:
    import_id = desk.upload(csv_text(["Last name", "Email"], [row[:2] for row in ROWS]))
    desk.choose(import_id)
    for step in ("check", "apply"):
        ask(desk, import_id, step)
        die_at("job.after_finish", desk, import_id)
        let_the_lease_run_out(desk, import_id)
        do(desk, import_id)
    assert len(desk.records()) == 2
    with desk.at_work():
        events = select(func.count()).select_from(AuditEvent).where(AuditEvent.action == "import.applied")
        mails = select(func.count()).select_from(Mail).where(Mail.template == "import_done")
        assert (db.session.scalar(events), db.session.scalar(mails)) == (1, 1)


def test_a_file_that_breaks_off_stops_the_check_and_says_where(desk: Desk) -> None:
    good = "".join(f"Lee,ann{number}@example.com\n" for number in range(50))
    import_id = desk.upload(f'Last name,Email\n{good}Fox,"bo@example.com\n')
    desk.choose(import_id)
    ask(desk, import_id, "check")
    found = do(desk, import_id)
    assert (found.state, found.counts) == ("failed", {})
    assert found.problem.startswith("Row 52, column “Email”: a quotation mark is opened and never closed.")
    assert desk.records() == []


def test_what_changed_since_the_check_stops_the_job_and_says_so(desk: Desk) -> None:
    first, second = (
        desk.upload(csv_text(["Last name", "Email"], [["Lee", "ann@example.com"], extra]))
        for extra in (["A", ""], ["B", ""])
    )
    for import_id in (first, second):
        desk.choose(import_id)
        ask(desk, import_id, "check")
        do(desk, import_id)
    desk.apply(first)
    ask(desk, second, "apply")
    found = do(desk, second)
    assert found.state == "checked"
    assert "Nothing was imported. Check again." in found.problem
    ask(desk, second, "check")
    assert do(desk, second).counts["unchanged"] == 1


def lose_staging(desk: Desk) -> None:
    """As PostgreSQL does after a crash: both tables are not logged."""
    with desk.at_work() as session:
        session.execute(text("DELETE FROM import_rows"))
        session.execute(text("DELETE FROM import_updates"))


def test_an_import_whose_staging_a_crash_took_is_checked_again_and_applied_as_it_was_shown(desk: Desk) -> None:
    first = desk.upload(csv_text(["Last name", "Email"], [["Lee", "ann@example.com"]]))
    desk.choose(first)
    desk.check(first)
    desk.apply(first)
    rows = [["Leigh", "ann@example.com"], ["Poe", "bea@example.com"], ["Bad", "nobody"]]
    import_id = desk.upload(csv_text(["Last name", "Email"], rows))
    desk.choose(import_id)
    desk.check(import_id)
    lose_staging(desk)
    ask(desk, import_id, "apply")
    found = do(desk, import_id)
    assert (found.state, found.problem) == ("applied", "")
    assert (found.counts["created"], found.counts["updated"]) == (1, 1)
    assert sorted((one.last_name, one.email) for one in desk.records()) == [
        ("Leigh", "ann@example.com"),
        ("Poe", "bea@example.com"),
    ]


def test_what_is_told_while_it_applies_is_the_step_and_never_the_rows(desk: Desk) -> None:
    """The page says “step 2 of 5” of each."""
    import_id = desk.upload(csv_text(["Last name", "Email", "Company"], [["Lee", "ann@example.com", "Acme"]]))
    desk.choose(import_id)
    desk.check(import_id)
    lose_staging(desk)
    told: list[tuple[int, int | None, str]] = []
    desk.watch = lambda *step: told.append(step)
    desk.apply(import_id)
    assert {total for _, total, _ in told} == {APPLY_STEPS}
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)
    assert told[-1][0] == APPLY_STEPS - 1
    assert all(note for _, _, note in told)


def test_when_the_check_again_shows_something_else_it_asks(desk: Desk) -> None:
    import_id = desk.upload(csv_text(["Last name", "Email"], [["Lee", "ann@example.com"]]))
    desk.choose(import_id)
    desk.check(import_id)
    other = desk.upload(csv_text(["Last name", "Email", "City"], [["Lee", "ann@example.com", "Graz"]]))
    desk.choose(other)
    desk.check(other)
    desk.apply(other)
    lose_staging(desk)
    ask(desk, import_id, "apply")
    found = do(desk, import_id)
    assert (found.state, found.counts["created"], found.counts["unchanged"]) == ("checked", 0, 1)
    assert "not the one that was shown" in found.problem
    assert len(desk.records()) == 1
    # What it shows now can be applied without another check.
    ask(desk, import_id, "apply")
    assert do(desk, import_id).state == "applied"


def test_a_check_that_was_called_off_leaves_nothing(desk: Desk) -> None:
    import_id = desk.upload(csv_text(["Last name", "Email"], [["Lee", "ann@example.com"]]))
    desk.choose(import_id)
    ask(desk, import_id, "check")
    with desk.at_work():
        actions.call_off(import_for_changing(import_id))
    assert do(desk, import_id).state == "cancelled"
    desk.check(import_id)
    desk.apply(import_id)
    assert desk.only().email == "ann@example.com"


def test_uploads_are_forgotten_after_their_time_and_the_report_says_so(desk: Desk) -> None:
    import_id = desk.upload(csv_text(["Last name", "Email"], [["Lee", "ann@example.com"], ["Bad", "nobody"]]))
    desk.choose(import_id)
    desk.check(import_id)
    desk.apply(import_id)
    with desk.at_work() as session:
        assert actions.forget_files(session) == 0
        session.execute(update(Import).values(created_at=text("now() - interval '31 days'")))
    with desk.at_work() as session:
        assert actions.forget_files(session) == 1
    found = desk.found(import_id)
    assert (found.file_key, found.counts["created"], len(desk.records())) == (None, 1, 1)
    with desk.at_work(), pytest.raises(UnreadableFile, match="no longer kept"):
        import_context.source_of(found)
