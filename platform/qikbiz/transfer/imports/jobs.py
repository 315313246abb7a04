"""Checking, applying and undoing an import. Each is one transaction: a worker that dies leaves nothing half done."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from sqlalchemy.orm import Session

from qikbiz.jobs.job_context import JobContext
from qikbiz.kernel.errors import Failure
from qikbiz.transfer.imports import actions
from qikbiz.transfer.imports.job_steps import Watch, check, note_stopped, run_apply, run_undo
from qikbiz.transfer.imports.sql import link_of

Act = Callable[[Session, UUID, Watch], dict[str, object]]


def check_import(work: JobContext) -> None:
    _do(work, check)


def apply_import(work: JobContext) -> None:
    _do(work, run_apply)


def undo_import(work: JobContext) -> None:
    _do(work, run_undo)


def delete_old_uploads(work: JobContext) -> None:
    with work.finish() as session:
        actions.forget_files(session)


def _do(work: JobContext, act: Act) -> None:
    import_id, result = UUID(work.arguments["import"]), dict[str, object]()
    try:
        with work.as_asker(), work.finish(result) as session:
            work.interrupt_when_lost(link_of(session))
            result |= act(session, import_id, work.progress)
    except Failure as failure:
        if failure.status in (429, 503):
            raise
        # Trying again would only meet the same file or the same conflict: the person reads why and decides.
        with work.finish({"stopped": failure.text}):
            note_stopped(import_id, failure.text)
