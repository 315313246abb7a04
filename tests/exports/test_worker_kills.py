"""A worker killed at any step of an export: finally one file, one mail, one line in the audit, nothing left lying."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update

from config.fault_injection import FaultInjected
from qikbiz.audit.models import AuditEvent
from qikbiz.jobs.models import Job
from qikbiz.kernel.database import runtime, tenant_transaction
from qikbiz.messaging.mail.models import Mail
from qikbiz.transfer.exports import job_steps
from qikbiz.transfer.exports.models import Export
from qikbiz.transfer.exports.restore import restore_archive
from tenants.context import Tenant
from tests.exports.conftest import ExportHarness
from tests.fixtures.workers import WorkerHarness, eventually
from workers.run_job import perform

POINTS = (
    "job.after_claim",
    "job.before_step",
    "export.begun",
    "export.counted",
    "export.table_started",
    "export.rows_written",
    "export.table_copied",
    "export.manifest_written",
    "file.before_sync",
    "file.before_rename",
    "file.after_rename",
    "export.before_finish",
    "job.before_finish",
    "job.after_finish",
)
pytestmark = pytest.mark.faults


def start(export_harness: ExportHarness, export: Export, fault: str) -> int:
    """Do the job in a process of its own. Returns its id."""
    assert export.job_id is not None
    child = os.fork()
    if child == 0:
        try:
            os.environ["QIKBIZ_FAULT"] = fault
            runtime().after_fork()
            perform(export_harness.tenant.id, export.job_id)
        finally:
            # Never on into the rest of the tests.
            os._exit(0)
    return child


def mails_and_events(export_harness: ExportHarness) -> tuple[int | None, int | None]:
    """How many mails say that an export is ready, and how many lines of the audit."""
    with tenant_transaction(export_harness.tenant) as session:
        mails = select(func.count()).select_from(Mail).where(Mail.template == "export_ready")
        events = select(func.count()).select_from(AuditEvent).where(AuditEvent.action == "export.ready")
        return session.scalar(mails), session.scalar(events)


def die_at(point: str, export_harness: ExportHarness, export: Export) -> None:
    """Do the job in a process that is killed at `point`."""
    _, status = os.waitpid(start(export_harness, export, f"{point}=kill"), 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, f"It went on past {point}."


def let_the_lease_run_out(export_harness: ExportHarness, export: Export) -> None:
    with tenant_transaction(export_harness.tenant) as session:
        past = update(Job).where(Job.id == export.job_id, Job.state == "running")
        session.execute(past.values(lease_until=text("now() - interval '1 second'")))


def test_a_worker_killed_anywhere_costs_nothing_but_time(
    export_harness: ExportHarness, subtests: pytest.Subtests
) -> None:
    export_harness.add(first_name="Ann")
    files: set[str | None] = set()
    for turn, point in enumerate(POINTS, start=1):
        with subtests.test(point=point):
            export = export_harness.ask()
            die_at(point, export_harness, export)
            let_the_lease_run_out(export_harness, export)
            made = export_harness.make_now(export)
            files.add(made.file_path)
            assert made.state == "ready"
            assert sorted(export_harness.files()) == sorted(map(str, files)) and len(files) == turn
            assert export_harness.zip_of(made).testzip() is None
            assert mails_and_events(export_harness) == (turn, turn)


@pytest.mark.parametrize("point", ["export.begun", "export.counted", "export.manifest_written", "file.after_rename"])
def test_a_worker_that_was_frozen_past_its_lease_harms_nothing_when_it_wakes(
    export_harness: ExportHarness, point: str
) -> None:
    export_harness.add(first_name="Ann")
    export = export_harness.ask()
    frozen = start(export_harness, export, f"{point}=stop")
    _, status = os.waitpid(frozen, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    let_the_lease_run_out(export_harness, export)
    made = export_harness.make_now(export)
    os.kill(frozen, signal.SIGCONT)
    os.waitpid(frozen, 0)
    assert export_harness.files() == [made.file_path]
    assert export_harness.zip_of(export_harness.now(export.id)).testzip() is None
    assert mails_and_events(export_harness) == (1, 1)


def test_one_whose_workers_always_die_is_given_up_in_words(export_harness: ExportHarness) -> None:
    export = export_harness.ask()
    for _ in range(3):
        die_at("export.counted", export_harness, export)
        let_the_lease_run_out(export_harness, export)
    with tenant_transaction(export_harness.tenant) as session:
        session.execute(update(Job).where(Job.id == export.job_id).values(state="quarantined"))
    with tenant_transaction(export_harness.tenant) as session:
        job_steps.expire(session)
    given_up = export_harness.now(export.id)
    assert given_up.state == "failed" and given_up.manifest["problem"] == job_steps.LOST
    assert export_harness.files() == []


def test_what_dead_workers_left_is_swept_and_what_is_expired_is_deleted(export_harness: ExportHarness) -> None:
    old, new = export_harness.make(), export_harness.make()
    assert old.file_path
    stray = f"{job_steps.folder_of(export_harness.tenant)}00000000-0000-7000-8000-000000000000-dead.part"
    (export_harness.store.root / stray).write_bytes(b"x")
    with tenant_transaction(export_harness.tenant) as session:
        session.execute(
            update(Export).where(Export.id == old.id).values(expires_at=text("now() - interval '1 second'"))
        )
    with tenant_transaction(export_harness.tenant) as session:
        assert job_steps.expire(session) == 1
    assert export_harness.files() == [new.file_path]
    expired = export_harness.now(old.id)
    assert (expired.state, expired.file_key) == ("expired", None)


def test_a_real_worker_that_dies_is_succeeded_by_another_try(
    export_harness: ExportHarness, worker_harness: WorkerHarness, nothing_waits: None, tmp_path: Path
) -> None:
    export_harness.add(first_name="Ann")
    export = export_harness.ask()
    worker_harness.worker("exports", QIKBIZ_FAULT="export.table_copied=kill@1", QIKBIZ_FAULT_DIR=str(tmp_path))
    worker_harness.sweeper()
    eventually(lambda: export_harness.now(export.id).state == "ready", seconds=60)
    assert list(tmp_path.iterdir()) == [tmp_path / "export.table_copied.0"]
    assert export_harness.files() == [export_harness.now(export.id).file_path]


def test_a_restore_that_breaks_off_leaves_nothing(
    export_harness: ExportHarness, fresh_tenant: Callable[..., Tenant], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_harness.add(first_name="Ann")
    file = export_harness.save(export_harness.make(), tmp_path / "export.zip")
    empty = fresh_tenant("Empty")
    monkeypatch.setenv("QIKBIZ_FAULT", "restore.table_loaded=raise")
    with pytest.raises(FaultInjected), tenant_transaction(empty):
        restore_archive(file)
    monkeypatch.delenv("QIKBIZ_FAULT")
    with tenant_transaction(empty):
        assert restore_archive(file).records == 1
