"""Staff inside a tenant: a ticket from the console, a cookie of its own at the tenant's address, asked about each time.

Nothing about a visit is remembered anywhere but in the control database, so that it ends in the moment in which the
customer ends the grant, the person leaves us or signs out at the console, or the time is over.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from flask import request
from sqlalchemy import Select, and_, select, update
from sqlalchemy.orm import Session

from qikbiz.audit.actions import record, record_on_platform
from qikbiz.identity.accounts import lifetimes
from qikbiz.identity.accounts.principal import Principal
from qikbiz.identity.roles.builtin_roles import staff_rights
from qikbiz.identity.staff.models import Staff, StaffSession
from qikbiz.kernel import clock
from qikbiz.kernel.actors import Actor, acting_as
from qikbiz.kernel.database import NoGrant, control_transaction, runtime
from qikbiz.kernel.errors import Failure
from qikbiz.kernel.permissions import AnyPermission, Permission, permission_named
from qikbiz.security.access_log.kinds import AccessKind
from qikbiz.security.access_log.recorder import record_access
from qikbiz.trust.grants import emails
from qikbiz.trust.grants.models import Grant, Visit
from qikbiz.trust.grants.queries import guest_of, instruction_of, lets_in
from qikbiz.trust.grants.scopes import permissions_of, reach_of
from qikbiz.web.client_address import client_address, shown_prefix
from qikbiz.web.cookies import GUEST, delete_cookie, open_cookie, set_cookie
from qikbiz.web.request_context import request_id
from qikbiz.web.user_agents import device_of_request
from tenants.context import Guest, Tenant, current_tenant

TICKET_LASTS = timedelta(minutes=1)
IDLE = timedelta(minutes=30)
_SECRET_BYTES = 32
_VISIT = "qikbiz.staff_visit"


class TicketEnded(Failure):
    """The way in was used before, or a minute has passed."""

    status, key = 410, "link_ended"


@dataclass(frozen=True, slots=True)
class Inside:
    """What pages show of a visit."""

    visit_id: UUID
    grant_id: UUID
    reference: str
    reason: str
    ends_at: datetime
    what: str


@dataclass(frozen=True, slots=True)
class GuestPerson(Principal):
    """A member of staff inside a tenant. May do what the grant's scopes say, and nothing of a colleague's own."""

    permissions: frozenset[AnyPermission] = frozenset()
    visit: Inside | None = None
    guest: Guest | None = field(default=None, repr=False)

    def can(self, permission: str) -> bool:
        return permission not in self.withheld and permission_named(permission) in self.permissions

    @property
    def inside(self) -> Inside | None:
        return self.visit

    @property
    def instruction(self) -> str:
        return f"{self.visit.reference}: {self.visit.reason}" if self.visit else ""


def make_ticket(grant: Grant, staff: Principal) -> str:
    """The address at which this member of staff comes in, good once and for a minute. Raises NoGrant."""
    _refuse_unless_admitted(grant, staff.id)
    guest_of(grant)
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    with control_transaction() as control:
        person = control.get_one(Staff, staff.id)
        control.add(
            Visit(
                grant_id=grant.id,
                tenant_id=grant.tenant_id,
                staff_id=staff.id,
                staff_name=staff.name,
                staff_epoch=person.epoch,
                staff_session=staff.session_key,
                asked_at=clock.now(),
                ticket_hash=_hash(secret.encode()),
                ticket_until=clock.now() + TICKET_LASTS,
            )
        )
        record_on_platform("visit.asked", tenant_id=grant.tenant_id, subject=grant.reference)
    return secret


def ticket_for(secret: str) -> tuple[Visit, Grant]:
    """The visit that may begin by this ticket at the current tenant. Raises TicketEnded."""
    with control_transaction() as control:
        return _waiting(control, secret)


def come_in(secret: str) -> Inside:
    """Begin the visit: the cookie is set, the customer's audit says so, its administrators are notified. Once only.

    Called in a request of the tenant by staff who are anonymous there yet, so that the entry itself is written with the
    tenant's own role.
    """
    key = secrets.token_bytes(_SECRET_BYTES)
    with control_transaction() as control:
        visit, grant = _waiting(control, secret)
        now = clock.now()
        visit.session_hash, visit.entered_at, visit.last_seen_at = _hash(key), now, now
        # Used up: the ticket opens nothing any more.
        visit.ticket_until = now - TICKET_LASTS
        visit.device = device_of_request()
        visit.address_prefix = shown_prefix(client_address(request.environ, runtime().settings.trusted_proxies))
        guest_of(grant)
        actor = Actor("staff", visit.staff_id, visit.staff_name, instruction_of(grant), request_id(), grant=grant.id)
        with acting_as(actor):
            facts = {"visit": str(visit.id), "scopes": grant.scopes, "device": visit.device}
            record("staff.entered", record_type="grant", record_id=grant.id, subject=grant.reference, details=facts)
            record_on_platform("visit.entered", tenant_id=grant.tenant_id, subject=grant.reference, details=facts)
            record_access(AccessKind.STAFF_ENTRY, detail=f"{grant.reference}: {grant.reason}")
        emails.notify_of_entry(grant, visit)
        inside = _inside(grant, visit)
    set_cookie(GUEST, visit.id.bytes + key)
    return inside


def person_of_request(tenant: Tenant) -> GuestPerson | None:
    """The member of staff who is inside by the current cookie, asked of the control database once a request."""
    if _VISIT not in request.environ:
        request.environ[_VISIT] = _asked(tenant)
    found: GuestPerson | None = request.environ[_VISIT]
    return found


def leave(person: GuestPerson) -> None:
    """End the visit. The grant stays."""
    delete_cookie(GUEST)
    if person.inside is None:
        return
    with control_transaction() as control:
        left = update(Visit).where(Visit.id == person.inside.visit_id, Visit.left_at.is_(None))
        control.execute(left.values(left_at=clock.now()))
        record("staff.left", record_type="grant", record_id=person.inside.grant_id, subject=person.inside.reference)
        record_on_platform("visit.left", tenant_id=current_tenant().id, subject=person.inside.reference)


def record_page_view(person: GuestPerson) -> None:
    """Every page that a guest was answered stands in both audits: where in the product, and what was looked for."""
    if person.inside is None or request.blueprint == "grants":
        # Entering and leaving are recorded by the functions that do it.
        return
    path = request.full_path.rstrip("?")[:300]
    verb = "staff.saw" if request.method == "GET" else "staff.did"
    with control_transaction() as control:
        seen = update(Visit).where(Visit.id == person.inside.visit_id)
        control.execute(seen.values(pages=Visit.pages + 1, last_seen_at=clock.now()))
        facts = {"visit": str(person.inside.visit_id), "page": str(request.endpoint), "method": request.method}
        record_on_platform(verb, tenant_id=current_tenant().id, subject=person.inside.reference, details=facts)
    details = {"visit": str(person.inside.visit_id), "page": str(request.endpoint)}
    record(verb, record_type="grant", record_id=person.inside.grant_id, subject=path, details=details)


def _asked(tenant: Tenant) -> GuestPerson | None:
    opened = open_cookie(GUEST)
    if opened is None or len(opened.plaintext) != 16 + _SECRET_BYTES:
        return None
    visit_id, key = UUID(bytes=opened.plaintext[:16]), opened.plaintext[16:]
    with control_transaction() as control:
        row = control.execute(_asked_for().where(Visit.id == visit_id, Visit.tenant_id == tenant.id)).one_or_none()
        person = _person(*row[:3], key) if row and _is_good(*row, key) else None
    if person is None:
        delete_cookie(GUEST)
    return person


def _asked_for() -> Select[Visit, Grant, Staff, StaffSession]:
    """Visits, each with its grant, who comes, and the session at the console by which they asked for it."""
    return (
        select(Visit, Grant, Staff, StaffSession)
        .join(Grant, Grant.id == Visit.grant_id)
        .join(Staff, Staff.id == Visit.staff_id)
        .join(StaffSession, and_(StaffSession.id_hash == Visit.staff_session, StaffSession.person_id == Visit.staff_id))
    )


def _is_good(visit: Visit, grant: Grant, staff: Staff, session: StaffSession, key: bytes) -> bool:
    now = clock.now()
    return (
        visit.session_hash is not None
        and hmac.compare_digest(visit.session_hash, _hash(key))
        and visit.left_at is None
        and visit.last_seen_at is not None
        and now < visit.last_seen_at + IDLE
        and _may_come(visit, staff, session)
        and lets_in(grant, staff.id)
    )


def _may_come(visit: Visit, staff: Staff, session: StaffSession) -> bool:
    """Whether they are still who asked: not signed out at the console, no other password since, not deactivated."""
    return (
        staff.state == "active"
        and staff.epoch == visit.staff_epoch
        and (staff.password_changed_at is None or staff.password_changed_at <= visit.asked_at)
        and session.revoked_at is None
        and session.ends_at > clock.now()
        and staff_rights(staff.role).can(Permission.TENANT_ENTER)
    )


def _person(visit: Visit, grant: Grant, staff: Staff, key: bytes) -> GuestPerson | None:
    try:
        guest = guest_of(grant)
    except NoGrant:
        return None
    entered = visit.entered_at or clock.now()
    return GuestPerson(
        kind="staff",
        id=staff.id,
        name=staff.name,
        email="QikBiz staff",
        role="guest",
        session_key=_hash(key),
        fresh_until=entered + lifetimes.FRESH,
        time_zone=staff.time_zone or "UTC",
        preferences=dict(staff.preferences),
        form_key=hashlib.sha256(b"form|" + key).digest(),
        permissions=permissions_of(grant.scopes),
        rights=reach_of(grant.scopes),
        visit=_inside(grant, visit),
        guest=guest,
    )


def _waiting(control: Session, secret: str) -> tuple[Visit, Grant]:
    wanted = _asked_for().where(
        Visit.ticket_hash == _hash(secret.encode("utf-8", "replace")),
        Visit.ticket_until > clock.now(),
        Visit.tenant_id == current_tenant().id,
    )
    row = control.execute(wanted.with_for_update(of=Visit)).one_or_none()
    if row is None:
        raise TicketEnded
    visit, grant, staff, session = row
    if not lets_in(grant, visit.staff_id) or not _may_come(visit, staff, session):
        raise TicketEnded
    return visit, grant


def _refuse_unless_admitted(grant: Grant, staff_id: UUID) -> None:
    if grant.kind != "grant":
        raise NoGrant("An instruction allows no support session. Ask the customer to grant access.")
    if not lets_in(grant, staff_id):
        raise NoGrant("This access has ended, or was granted to other people.")


def _inside(grant: Grant, visit: Visit) -> Inside:
    what = emails.what_may_be_done(grant)
    return Inside(visit.id, grant.id, grant.reference, grant.reason, grant.ends_at, what)


def _hash(secret: bytes) -> bytes:
    return runtime().settings.keys.mac("staff-visit", secret)


def actor_of(person: GuestPerson) -> Actor:
    """The guest as audits name it."""
    grant_id = person.inside.grant_id if person.inside else None
    return Actor("staff", person.id, person.name, person.instruction, request_id(), person.rights, grant_id)
