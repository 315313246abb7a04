"""What is done to a tenant in the control database alone: reserve, suspend, resume, rename, limit, close.

For the console and the command line alike, inside `control_transaction()`. Provisioning makes and erases schemas.
"""

from __future__ import annotations

import secrets
import string
import zlib
from datetime import timedelta

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from qikbiz.audit.actions import record_on_platform
from qikbiz.console.slugs import check_free, check_shape, name_used_before_by
from qikbiz.console.tenant_audit import notify_tenant
from qikbiz.kernel import clock
from qikbiz.kernel.database import runtime
from qikbiz.kernel.errors import Conflict, Failure, NotFound, Unavailable
from qikbiz.trust.account_closure.queries import open_closing_of
from tenants.control import Cell, ReservedName, TenantRecord, new_id
from tenants.directory import touch_directory

ACCENTS = ("blue", "teal", "violet", "green", "indigo", "rose", "amber", "plum", "graphite", "red")
WAITING_DAYS = 7
MOST_SEATS = 100_000
LONGEST_REASON = 500
_ONE_AT_A_TIME = 0x51_42_04


class BadTenant(Failure):
    """What was given about a tenant can't be used; the text says what to change."""

    key = "bad_tenant"


class NoRoom(Unavailable):
    """Every cell is full; provisioning makes the next one."""

    key = "no_room"


def reserve_tenant(session: Session, slug: str, name: str, admin_email: str, accent: str | None = None) -> TenantRecord:
    """The tenant's row in the state "creating": a new one, or the one that a killed run left.

    Raises BadName, NameTaken, BadTenant, Conflict, NoRoom.
    """
    slug = slug.strip().lower()
    check_shape(slug)
    values = {"name": _checked_name(name), "admin_email": _checked_email(admin_email), "accent": _accent(slug, accent)}
    # Held until the commit, so that two that look alike can't both find the name free, nor overfill a cell.
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
    record = session.scalar(select(TenantRecord).where(TenantRecord.slug == slug))
    if record is None:
        check_free(session, slug)
        opaque = "t_" + "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(16))
        record = TenantRecord(
            id=new_id(), slug=slug, schema_name=opaque, role_name=opaque, state="creating", version=""
        )
        record.cell_name = _cell_with_room(session)
        session.add(record)
    elif record.state != "creating":
        raise Conflict(f"A tenant “{slug}” already exists; it is {record.state}.")
    for field, value in values.items():
        setattr(record, field, value)
    session.flush()
    session.refresh(record)
    return record


def has_room(session: Session) -> bool:
    """Whether a cell takes one tenant more."""
    return _find_cell_with_room(session) is not None


def suspend_tenant(session: Session, slug: str, reason: str) -> TenantRecord:
    """Let nothing be changed for a time. Again with another reason changes the reason.

    Its people go on signing in, reading, exporting, closing the account and asking for help; every administrator is
    mailed the reason (promises P12 and P13).
    """
    record, reason = for_change(session, slug), " ".join(reason.split())
    if not reason:
        raise BadTenant(
            "Enter a reason. The administrators get it by email, and it is shown on every page of the workspace."
        )
    if len(reason) > LONGEST_REASON:
        raise BadTenant(f"The reason has {len(reason):,} characters; {LONGEST_REASON:,} are enough.")
    refuse_unless(record, "active", "suspended")
    refuse_while_closing(record, "its users must be able to read their data until it is erased")
    if (record.state, record.state_reason) != ("suspended", reason):
        before, record.state, record.state_reason = record.directory_version, "suspended", reason
        touch_directory(session, record)
        record_act(record, "tenant.suspended", reason=reason)
        facts = {"reason": reason, "support": runtime().settings.support_address}
        notify_tenant(record, "suspended", mail="organisation_suspended", once=before, facts=facts, reason=reason)
    return record


def resume_tenant(session: Session, slug: str) -> TenantRecord:
    """Lift a suspension, or call a deletion off before it is due. The administrators are mailed."""
    record = for_change(session, slug)
    refuse_unless(record, "active", "suspended", "closing")
    if record.state != "active":
        record_act(record, "tenant.resumed", was=record.state)
        once = record.directory_version
        notify_tenant(record, "resumed", mail="organisation_resumed", once=once, was=record.state)
        record.state, record.state_reason, record.delete_after = "active", "", None
        touch_directory(session, record)
    return record


def rename_tenant(
    session: Session, slug: str, *, new_slug: str | None = None, new_name: str | None = None
) -> TenantRecord:
    """Change the address, the shown name, or both. A former address is kept from others; sessions there end."""
    record = for_change(session, slug)
    refuse_unless(record, "active", "suspended")
    if not new_slug and not new_name:
        raise BadTenant("Enter a new address or a new name.")
    before = {"slug": record.slug, "name": record.name}
    if new_slug and (new_slug := new_slug.strip().lower()) != record.slug:
        _move(session, record, new_slug)
    if new_name:
        record.name = _checked_name(new_name)
    after = {"slug": record.slug, "name": record.name}
    if before != after:
        touch_directory(session, record)
        record_act(record, "tenant.renamed", before=before, after=after)
        changes = {"Address": [before["slug"], record.slug], "Name": [before["name"], record.name]}
        notify_tenant(record, "renamed", changes={what: pair for what, pair in changes.items() if pair[0] != pair[1]})
    return record


def close_tenant(session: Session, slug: str, *, confirmation: str, days: int = WAITING_DAYS) -> TenantRecord:
    """Close one that nobody ever signed in to; everything is erased after `days`. Until then it can be resumed.

    `confirmation` is the slug, typed by the person. Whether it was used is asked in closures.py before, and once more
    when it is erased.
    """
    record = for_change(session, slug)
    if confirmation != record.slug:
        raise BadTenant(f"To delete this tenant, type its address: {record.slug}")
    refuse_unless(record, "active", "suspended", "closing", "creating")
    refuse_while_closing(record, "it is erased when the retention period is over, not earlier")
    due = clock.now() + timedelta(days=days)
    if record.state != "closing" or record.delete_after is None or due < record.delete_after:
        record.state, record.delete_after = "closing", due
        record.epoch += 1
        touch_directory(session, record)
        record_act(record, "tenant.closed", delete_after=due.isoformat())
        notify_tenant(record, "closed", delete_after=due.isoformat())
    return record


def limit_seats(session: Session, slug: str, seats: int | None) -> TenantRecord:
    """Say how many people may have a login there, None for no limit. Nobody's login ends by it (promise P14)."""
    record = for_change(session, slug)
    refuse_unless(record, "creating", "active", "suspended")
    if seats is not None and not 1 <= seats <= MOST_SEATS:
        raise BadTenant(f"The number of seats must be between 1 and {MOST_SEATS:,}.")
    if seats != record.seats:
        changes = {"Seats": [record.seats or "no limit", seats or "no limit"]}
        record.seats = seats
        touch_directory(session, record)
        record_act(record, "tenant.seats_limited", changes=changes)
        notify_tenant(record, "seats_limited", changes=changes)
    return record


def record_act(record: TenantRecord, action: str, **details: object) -> None:
    """A row of the platform's audit, in the transaction of the act itself."""
    record_on_platform(action, tenant_id=record.id, subject=record.slug, details=details)


def for_change(session: Session, slug: str) -> TenantRecord:
    record = session.scalar(select(TenantRecord).where(TenantRecord.slug == slug.strip().lower()).with_for_update())
    if record is None:
        raise NotFound(f"There is no tenant “{slug}”.")
    return record


def refuse_unless(record: TenantRecord, *states: str) -> None:
    if record.state not in states:
        saying = {
            "creating": "is not finished yet; create it again to finish it",
            "closing": "is being deleted; resume it first",
            "closed": "was deleted",
        }
        raise Conflict(f"“{record.slug}” {saying.get(record.state, f'is {record.state}')}.")


def refuse_while_closing(record: TenantRecord, because: str) -> None:
    if open_closing_of(record.id) is not None:
        raise Conflict(f"“{record.slug}” is being closed already: {because}.")


def _move(session: Session, record: TenantRecord, slug: str) -> None:
    check_shape(slug)
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
    own = name_used_before_by(record.id)
    check_free(session, slug, reserved_for=own)
    session.merge(ReservedName(slug=record.slug, reason=own))
    record.slug = slug
    record.epoch += 1


def _cell_with_room(session: Session) -> str:
    name = _find_cell_with_room(session)
    if name is None:
        raise NoRoom("There is no free slot for another tenant. Run `qikbiz migrate` to add one.")
    return name


def _find_cell_with_room(session: Session) -> str | None:
    filled = select(func.count()).where(TenantRecord.cell_name == Cell.name, TenantRecord.state != "closed")
    room = select(Cell.name).where(Cell.accepts_new, filled.scalar_subquery() < Cell.capacity).order_by(Cell.name)
    return session.scalars(room.limit(1)).first()


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= 120 or not name.isprintable():
        raise BadTenant("Enter the organisation's name, at most 120 characters.")
    return name


def _checked_email(email: str) -> str:
    try:
        # `test_environment` allows example.test and the like: whether a mail arrives is for the mail to find out.
        return validate_email(email.strip(), check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise BadTenant(f"The administrator's email address can't be used: {error}") from error


def _accent(slug: str, accent: str | None) -> str:
    if accent is None:
        return ACCENTS[zlib.crc32(slug.encode()) % len(ACCENTS)]
    if accent not in ACCENTS:
        raise BadTenant(f"The accent must be one of {', '.join(ACCENTS)}.")
    return accent
