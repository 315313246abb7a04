"""Reading exports and how far they are."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, select

from qikbiz.identity.roles.current import current_rights
from qikbiz.jobs.models import Job
from qikbiz.kernel import clock
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import NotFound
from qikbiz.transfer.exports.access import is_open_to, own_or_all
from qikbiz.transfer.exports.models import Export

SHOWN = 100
_LOST = ("failed", "quarantined")
# What a state is called, and the kind of its dot.
_WORDS = {
    "waiting": ("Waiting", "busy"),
    "running": ("In progress", "busy"),
    "ready": ("Ready", "good"),
    "failed": ("Failed", "bad"),
    "expired": ("Expired", "idle"),
    "deleted": ("Deleted", "idle"),
}


@dataclass(frozen=True)
class Standing:
    """Where an export stands for a person: the state to show, how far it is, and what went wrong."""

    export: Export
    job: Job | None

    @property
    def state(self) -> str:
        """The row's state; but a job that was given up, or a date that has passed, is known before the row says so."""
        export, job = self.export, self.job
        if export.state in ("waiting", "running") and job is not None and job.state in _LOST:
            return "failed"
        if export.state == "ready" and export.expires_at is not None and export.expires_at <= clock.now():
            return "expired"
        return export.state

    @property
    def words(self) -> str:
        return _WORDS[self.state][0]

    @property
    def kind(self) -> str:
        return _WORDS[self.state][1]

    @property
    def is_open(self) -> bool:
        return self.state in ("waiting", "running")

    @property
    def done(self) -> int:
        return self.job.progress_done if self.job else 0

    @property
    def total(self) -> int:
        return (self.job.progress_total or 0) if self.job else 0

    @property
    def note(self) -> str:
        return (self.job.progress_note if self.job else "") or "Waiting to start"

    @property
    def seconds_left(self) -> float | None:
        """From the pace so far; None while there is none to judge by."""
        if self.job is None or self.job.started_at is None or not self.done or not self.total:
            return None
        spent = (clock.now() - self.job.started_at).total_seconds()
        return spent * (self.total - self.done) / self.done

    @property
    def problem(self) -> str:
        said = self.export.manifest.get("problem")
        return str(said or (self.job.error_text if self.job else "") or "The worker stopped several times.")

    @property
    def reference(self) -> str:
        return self.export.error_ref or (self.job.error_ref if self.job else "") or str(self.export.id)[-12:]


def all_exports(limit: int = SHOWN) -> list[Standing]:
    """The newest exports that this person may know of: their own, or all."""
    rows = db.session.execute(_with_job().where(own_or_all()).order_by(Export.id.desc()).limit(limit))
    return [Standing(*row) for row in rows if is_open_to(row[0].product, current_rights())]


def export_for_reading(export_id: UUID) -> Standing:
    """Raises NotFound."""
    row = db.session.execute(_with_job().where(Export.id == export_id)).one_or_none()
    if row is None or not is_open_to(row[0].product, current_rights()):
        raise NotFound
    return Standing(*row)


def export_within_reach(export_id: UUID) -> Standing:
    """As `export_for_reading`, for pages: somebody else's export is not there for most people."""
    row = db.session.execute(_with_job().where(Export.id == export_id, own_or_all())).one_or_none()
    if row is None or not is_open_to(row[0].product, current_rights()):
        raise NotFound
    return Standing(*row)


def _with_job() -> Select[Export, Job]:
    return select(Export, Job).outerjoin(Job, Job.id == Export.job_id)
