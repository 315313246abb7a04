"""Which grants there are, which are in force, and how a guest comes in by one."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from config.keys import SealBroken
from qikbiz.identity.staff.models import Staff
from qikbiz.kernel import clock
from qikbiz.kernel.actors import Actor
from qikbiz.kernel.database import NoGrant, control_transaction, db, runtime
from qikbiz.kernel.errors import NotFound
from qikbiz.trust.grants.models import WAIT_HOURS, AccessPolicy, Grant, Visit
from qikbiz.trust.grants.scopes import GrantScope
from tenants.context import Guest

GUEST_DSN = "guest-dsn"
OVER = "The customer's grant has ended, or does not allow this."


def is_in_force(grant: Grant) -> bool:
    now = clock.now()
    return grant.state == "open" and (grant.opens_at or now) <= now < grant.ends_at


def is_opening(grant: Grant) -> bool:
    """Whether its login is being made at this moment; one that opens later only waits."""
    now = clock.now()
    return grant.state == "opening" and (grant.opens_at or now) <= now < grant.ends_at


def is_standing(grant: Grant) -> bool:
    """Whether it can still be ended: it is in force, or will be, or waits to be confirmed."""
    return grant.state != "ended" and grant.ends_at > clock.now()


def lets_in(grant: Grant, staff_id: UUID | None) -> bool:
    """Whether this member of staff may come in by it and look: by a grant in force, never by an instruction (P8)."""
    return grant.kind == "grant" and is_in_force(grant) and admits(grant, staff_id)


def waiting_instructions(session: Session, tenant_id: UUID) -> Sequence[Grant]:
    """Those that nobody confirmed yet, and those that open later, the newest first."""
    statement = select(Grant).where(
        Grant.tenant_id == tenant_id,
        Grant.kind == "instruction",
        or_(Grant.state == "waiting", and_(Grant.state == "opening", Grant.opens_at > clock.now())),
        Grant.ends_at > clock.now(),
    )
    return session.scalars(statement.order_by(Grant.id.desc())).all()


def access_policy(session: Session, tenant_id: UUID) -> AccessPolicy:
    """What the tenant says about instructions; its row, or one with the defaults that is not stored."""
    found = session.get(AccessPolicy, tenant_id)
    return found or AccessPolicy(tenant_id=tenant_id, staff_may_confirm=True, wait_hours=WAIT_HOURS[0])


def grants_of(session: Session, tenant_id: UUID) -> Sequence[Grant]:
    """All of a tenant's, those in force first, then the newest."""
    # One that was only asked for has no entry in the audit: it never was.
    given = select(Grant).where(Grant.tenant_id == tenant_id, Grant.state != "asked")
    statement = given.order_by(Grant.id.desc())
    return sorted(session.scalars(statement), key=lambda grant: grant.state == "ended" or grant.ends_at <= clock.now())


def grant_of(session: Session, tenant_id: UUID, grant_id: UUID) -> Grant:
    """Raises NotFound, also for another tenant's."""
    grant = session.get(Grant, grant_id)
    if grant is None or grant.tenant_id != tenant_id:
        raise NotFound
    return grant


def grants_for_staff(session: Session, tenant_id: UUID, staff_id: UUID | None) -> list[Grant]:
    """Those in force or about to be that let this member of staff in."""
    statement = select(Grant).where(
        Grant.tenant_id == tenant_id, Grant.state.in_(("opening", "open")), Grant.ends_at > clock.now()
    )
    return [grant for grant in session.scalars(statement.order_by(Grant.id.desc())) if admits(grant, staff_id)]


def admits(grant: Grant, staff_id: UUID | None) -> bool:
    """Whether the grant names this member of staff, or support as a whole. At the command line nobody is named."""
    return not grant.staff_ids or (staff_id is not None and str(staff_id) in grant.staff_ids)


def guest_of(grant: Grant) -> Guest:
    """How a guest comes in by this grant. Raises NoGrant unless it is in force."""
    if not is_in_force(grant) or not grant.dsn:
        raise NoGrant(OVER)
    try:
        opened = runtime().settings.keys.open(GUEST_DSN, grant.dsn, bound_to=str(grant.id))
    except SealBroken as error:
        raise NoGrant("This grant was created with a key that is no longer in use. Ask for a new one.") from error
    return Guest(grant.role_name, opened.plaintext.decode())


def grant_in_force(session: Session, tenant_id: UUID, grant_id: UUID) -> Grant:
    """Raises NoGrant."""
    grant = session.get(Grant, grant_id)
    if grant is None or grant.tenant_id != tenant_id or not is_in_force(grant):
        raise NoGrant(OVER)
    return grant


def instruction_of(grant: Grant) -> str:
    """What audits say allows the act."""
    return f"{grant.reference}: {grant.reason}"


def actor_under(grant: Grant, staff_id: UUID | None) -> Actor:
    """The actor under the grant, as the customer's audit names them; without a login, the command line."""
    staff = db.control.get(Staff, staff_id) if staff_id else None
    return Actor("staff", staff_id, staff.name if staff else grant.given_by_name, instruction_of(grant), grant=grant.id)


def guest_for_job(tenant_id: UUID, grant_id: UUID, staff_id: UUID | None) -> tuple[Guest, Actor]:
    """How a job that staff asked for comes in, and whom it acts for. Raises NoGrant."""
    with control_transaction() as session:
        grant = grant_in_force(session, tenant_id, grant_id)
        return guest_of(grant), actor_under(grant, staff_id)


def grant_for(session: Session, tenant_id: UUID, grant_id: UUID, scope: GrantScope, staff_id: UUID | None) -> Grant:
    """The grant, if it allows this now to this member of staff. Raises NoGrant."""
    grant = grant_in_force(session, tenant_id, grant_id)
    if scope not in grant.scopes or not admits(grant, staff_id):
        raise NoGrant(OVER)
    return grant


def staff_to_choose() -> list[tuple[UUID, str]]:
    """Whom a customer can let in by name: (id, name and what they do)."""
    with_names = select(Staff.id, Staff.name, Staff.role).where(
        Staff.state == "active", Staff.role.in_(("support", "operator"))
    )
    return [(row.id, f"{row.name}, {row.role}") for row in db.control.execute(with_names.order_by(Staff.name))]


def names_of(grant: Grant) -> str:
    """Whom it lets in, in words."""
    if not grant.staff_ids:
        return "QikBiz support"
    wanted = [UUID(text) for text in grant.staff_ids]
    names = db.control.scalars(select(Staff.name).where(Staff.id.in_(wanted)).order_by(Staff.name))
    return ", ".join(names) or "No active staff"


def visits_of(session: Session, tenant_id: UUID, grant_id: UUID | None = None) -> list[tuple[Visit, Grant]]:
    """The entries of staff, the newest first, each with its grant."""
    statement = select(Visit, Grant).join(Grant, Grant.id == Visit.grant_id)
    statement = statement.where(Visit.tenant_id == tenant_id, Visit.entered_at.is_not(None))
    if grant_id is not None:
        statement = statement.where(Visit.grant_id == grant_id)
    rows = session.execute(statement.order_by(Visit.id.desc()).limit(200))
    return [(row[0], row[1]) for row in rows]


def counts_of(session: Session, tenant_id: UUID) -> dict[str, int]:
    """How many grants are in force, and how often staff came in: ever, and in the last thirty days."""
    recent = func.count().filter(Visit.entered_at > func.now() - func.make_interval(0, 0, 0, 30))
    entered = select(func.count(), recent).where(Visit.tenant_id == tenant_id, Visit.entered_at.is_not(None))
    ever, lately = session.execute(entered).one()
    in_force = session.scalar(select(func.count()).where(_open_of(tenant_id))) or 0
    return {"open": in_force, "ever": ever, "lately": lately}


def _open_of(tenant_id: UUID) -> ColumnElement[bool]:
    return and_(Grant.tenant_id == tenant_id, Grant.state == "open", Grant.ends_at > clock.now())
