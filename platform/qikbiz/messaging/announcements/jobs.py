"""Jobs about announcements: begin one, write a tenant's mails, and look after it until nothing of it waits."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from config.fault_injection import fault
from qikbiz.jobs.actions import enqueue_platform
from qikbiz.jobs.job_context import JobContext
from qikbiz.kernel import clock
from qikbiz.messaging.announcements import counting, sending

COUNT_EVERY = timedelta(seconds=30)


def send_announcement(work: JobContext) -> None:
    """Ask each tenant's own job, spaced so that all of them together keep the pace."""
    announcement_id = UUID(work.arguments["announcement"])
    with work.step() as session:
        is_on_its_way = sending.begin(session, announcement_id)
    if not is_on_its_way:
        return
    fault("announcements.begun")
    waiting = sending.tenants_waiting(announcement_id)
    run_at, pace = clock.now(), sending.pause_between_mails()
    for done, (tenant_id, people) in enumerate(waiting):
        work.progress(done, len(waiting), "Asking each tenant")
        sending.ask_tenant(announcement_id, tenant_id, run_at)
        run_at += pace * people
        fault("announcements.tenant_asked")
    with work.finish() as session:
        counting.finish_if_settled(session, announcement_id)
        _count_later(announcement_id)


def deliver(work: JobContext) -> None:
    """All mails of one tenant and `done` are committed together: a worker killed in between leaves neither."""
    announcement_id = UUID(work.arguments["announcement"])
    with work.finish():
        sending.deliver(announcement_id)
        fault("announcements.written")
    if work.tenant is not None:
        counting.count_tenant(work.tenant, announcement_id)


def count(work: JobContext) -> None:
    """Make up for counts that a dead worker did not make, and for tenants that went away."""
    announcement_id = UUID(work.arguments["announcement"])
    is_open = counting.count_open_tenants(announcement_id)
    with work.finish():
        if is_open:
            _count_later(announcement_id)


def _count_later(announcement_id: UUID) -> None:
    moment = clock.now() + COUNT_EVERY
    key = f"announcement-count:{announcement_id}:{moment.timestamp():.0f}"
    enqueue_platform("announcements.count", {"announcement": str(announcement_id)}, run_at=moment, dedupe_key=key)
