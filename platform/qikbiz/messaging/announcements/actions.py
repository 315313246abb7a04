"""What operators do with announcements: draft → scheduled → sending → sent, or stopped. Nothing goes backwards but
`scheduled` to `draft`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import update

from qikbiz.audit.actions import record_on_platform
from qikbiz.identity.accounts.realms import staff_realm
from qikbiz.jobs.actions import enqueue_platform
from qikbiz.kernel import clock
from qikbiz.kernel.actors import current_actor
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import Conflict, Failure, NotFound
from qikbiz.messaging.announcements.models import Announcement, AnnouncementTenant
from qikbiz.messaging.mail.actions import send_platform
from qikbiz.messaging.mail.categories import category_named
from tenants.control import new_id

LONGEST_WAIT = timedelta(days=366)
CHANGED = "Edited by someone else. Review the announcement before you continue."


def write_draft(values: Mapping[str, object]) -> Announcement:
    actor = current_actor()
    draft = Announcement(
        id=new_id(), state="draft", version=1, created_by=actor.id, created_by_name=actor.name, **values
    )
    db.control().add(draft)
    db.control().flush()
    _record(draft, "announcement.drafted")
    return draft


def change_draft(announcement_id: UUID, version: int, values: Mapping[str, object]) -> Announcement:
    """Raises Conflict for one that is no draft any more, or was changed by another member of staff."""
    draft = announcement_for_changing(announcement_id, version, "draft")
    for name, value in values.items():
        setattr(draft, name, value)
    draft.version += 1
    _record(draft, "announcement.changed")
    return draft


def delete_draft(announcement_id: UUID, version: int) -> None:
    draft = announcement_for_changing(announcement_id, version, "draft")
    _record(draft, "announcement.deleted")
    db.control().delete(draft)


def send_trial(announcement_id: UUID, *, address: str, name: str) -> None:
    """A mail to the operator alone, as everybody would get it."""
    found = announcement_for_reading(announcement_id)
    values = {"name": name, "subject": found.subject, "body": found.body, "category_name": _category_name(found)}
    values["url"] = staff_realm().url(f"/announcements/{found.id}")
    send_platform("announcement_trial", to_address=address, to_name=name, values=values, dedupe_key=f"trial:{new_id()}")
    _record(found, "announcement.tried")


def schedule(announcement_id: UUID, version: int, send_at: datetime | None, *, is_confirmed: bool) -> Announcement:
    """Have it sent at that moment, or now. Raises Failure for a moment that can't be meant, and Conflict."""
    draft = announcement_for_changing(announcement_id, version, "draft")
    if not category_named(draft.category).can_be_off and not is_confirmed:
        raise Failure("Recipients can't opt out of this category. Tick the box to confirm.")
    now = clock.now()
    moment = send_at or now
    if send_at is not None and not now <= moment <= now + LONGEST_WAIT:
        raise Failure("Choose a time in the future, within a year.")
    draft.state, draft.send_at, draft.version = "scheduled", moment, draft.version + 1
    enqueue_platform(
        "announcements.send",
        {"announcement": str(draft.id)},
        run_at=send_at,
        dedupe_key=f"announcement:{draft.id}:{draft.version}",
        created_by=current_actor().id,
    )
    _record(draft, "announcement.scheduled", send_at=moment.isoformat())
    return draft


def unschedule(announcement_id: UUID, version: int) -> Announcement:
    """Back to a draft, as long as nothing has left."""
    found = announcement_for_changing(announcement_id, version, "scheduled")
    found.state, found.send_at, found.version = "draft", None, found.version + 1
    _record(found, "announcement.unscheduled")
    return found


def stop(announcement_id: UUID) -> Announcement:
    """Nothing more of it leaves. What has left can't be taken back."""
    found = _locked(announcement_id)
    if found.state not in ("scheduled", "sending"):
        raise Conflict("It is not being sent, so it can't be stopped.")
    found.state, found.finished_at, found.version = "stopped", clock.now(), found.version + 1
    untouched = (AnnouncementTenant.announcement_id == found.id, AnnouncementTenant.state == "waiting")
    db.control().execute(update(AnnouncementTenant).where(*untouched).values(state="settled"))
    _record(found, "announcement.stopped")
    return found


def announcement_for_reading(announcement_id: UUID) -> Announcement:
    found = db.control().get(Announcement, announcement_id)
    if found is None:
        raise NotFound("There is no such announcement.")
    return found


def announcement_for_changing(announcement_id: UUID, version: int, state: str) -> Announcement:
    """The announcement, locked, if it still is as the operator saw it."""
    found = _locked(announcement_id)
    if found.state != state:
        raise Conflict(f"This announcement is {found.state}, so this is no longer possible.")
    if found.version != version:
        raise Conflict(CHANGED)
    return found


def _locked(announcement_id: UUID) -> Announcement:
    found = db.control().get(Announcement, announcement_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound("There is no such announcement.")
    return found


def _category_name(found: Announcement) -> str:
    return category_named(found.category).name


def _record(found: Announcement, action: str, **details: object) -> None:
    to = {"audience": found.audience, "tenants": len(found.tenant_ids) or "all"}
    record_on_platform(action, subject=found.subject, details={"category": found.category, **to, **details})
