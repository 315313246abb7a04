"""Written instructions of a customer, as staff write them down: nothing is done by one before it was confirmed (P8).

An administrator of the customer confirms it in the product. One that was asked for by a signed-in administrator in a
ticket can also be confirmed by a second member of staff; then it opens after the wait that the customer's policy says.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import update

from qikbiz.audit.actions import record
from qikbiz.identity.accounts.queries import ever_signed_in
from qikbiz.identity.roles.current import current_rights, rights_of_user
from qikbiz.kernel import clock
from qikbiz.kernel.actors import SYSTEM, Actor, acting_as, current_actor
from qikbiz.kernel.database import after_commit, control_transaction, db, tenant_transaction
from qikbiz.kernel.errors import Conflict, Forbidden
from qikbiz.kernel.permissions import Permission
from qikbiz.trust.grants import emails
from qikbiz.trust.grants.actions import (
    BadGrant,
    new_grant,
    open_soon,
    refuse_too_many,
    write_audit,
    write_platform_audit,
)
from qikbiz.trust.grants.models import WAIT_HOURS, AccessPolicy, Grant
from qikbiz.trust.grants.queries import access_policy, instruction_of
from qikbiz.trust.grants.scopes import GrantScope
from qikbiz.trust.tickets.models import Ticket
from tenants.context import Tenant, current_tenant

# What can be asked for in writing. To see or change records by hand, support needs a grant.
INSTRUCTABLE = (GrantScope.EXPORT, GrantScope.IMPORT, GrantScope.RESTORE)
WAITS_FOR_CONFIRMATION = timedelta(days=7)
LASTS = timedelta(hours=24)


def record_instruction(
    tenant: Tenant, scope: GrantScope, instruction: str, *, about: Ticket | None = None, is_free: bool = False
) -> Grant:
    """Staff write down what a customer asked for in writing, for one import or export. The customer reads it at once.

    It waits to be confirmed, unless nobody has ever signed in there, or `is_free` (a demo organisation). Called in
    `control_transaction`, by the console or a command. Raises BadGrant.
    """
    me = current_actor()
    if scope not in INSTRUCTABLE:
        raise BadGrant(
            "A written instruction covers an export, an import or a restore. To view records, ask for access."
        )
    is_free = is_free or not _is_used(tenant)
    grant = new_grant(tenant, "instruction", [scope], instruction, clock.now() + WAITS_FOR_CONFIRMATION)
    grant.recorded_by = me.id if me.kind == "staff" else None
    grant.ticket_id = about.id if about else None
    if is_free:
        grant.confirmed_at, grant.confirmed_how, grant.ends_at = clock.now(), "unused", clock.now() + LASTS
    else:
        grant.state = "waiting"
    with control_transaction() as control:
        refuse_too_many(control, tenant)
        control.add(grant)
        control.flush()
        control.refresh(grant)
        write_platform_audit("grant.instruction_recorded", grant)
    _notify_customer(tenant, grant, "grant.instruction_recorded", lambda: emails.notify_of_instruction(grant, me.name))
    if is_free:
        open_soon(grant.id)
    return grant


def confirm_as_customer(grant: Grant) -> None:
    """An administrator of the tenant entered says that it asked for this. From now on staff may act on it, for a day.

    Raises Forbidden for a user who may not give access, and Conflict when it is confirmed or over.
    """
    me = current_actor()
    if me.kind != "user" or not current_rights().can(Permission.GRANT_GIVE):
        raise Forbidden("Only administrators can confirm an instruction.")
    with control_transaction():
        _confirm(grant, me, "user", "asked", opens_at=None)
    write_audit("grant.instruction_confirmed", grant)
    emails.notify_of_confirmation(grant, me.name, is_staff=False)
    grant_id = grant.id
    # As for a grant: nothing is opened before the customer's own audit of it is kept.
    after_commit(db.session(), lambda: open_soon(grant_id))


def confirm_as_second(tenant: Tenant, grant: Grant, ticket: Ticket | None) -> None:
    """A second member of staff says that the ticket asks for this. It opens after the wait of the tenant's policy.

    Raises Forbidden for the one who recorded it, and Conflict where only the customer can confirm.
    """
    me = current_actor()
    if me.kind != "staff" or me.id is None or grant.recorded_by in (None, me.id):
        raise Forbidden("You recorded this instruction, so another member of staff has to confirm it.")
    with control_transaction() as control:
        policy = access_policy(control, tenant.id)
        problem = why_only_customer(tenant, policy, ticket)
        if problem:
            raise Conflict(problem)
        _confirm(grant, me, "staff", "opening", opens_at=clock.now() + timedelta(hours=policy.wait_hours))
    said = {"opens_at": grant.opens_at.isoformat() if grant.opens_at else ""}
    _notify_customer(
        tenant,
        grant,
        "grant.instruction_confirmed",
        lambda: emails.notify_of_confirmation(grant, me.name, is_staff=True),
        said,
    )


def why_only_customer(tenant: Tenant, policy: AccessPolicy, ticket: Ticket | None) -> str:
    """Why no member of staff can confirm what this ticket asks for; empty when one can."""
    if not policy.staff_may_confirm:
        return f"{tenant.name} allows only its own administrators to confirm instructions."
    if ticket is None or ticket.tenant_id != tenant.id or ticket.source != "tenant":
        return "It does not come from a ticket of a signed-in user, so only the customer can confirm it."
    if not can_instruct(tenant, ticket.person_id):
        return (
            "The sender of the ticket is not an administrator of the organisation, so only its administrators "
            "can confirm it."
        )
    return ""


def can_instruct(tenant: Tenant, person_id: UUID | None) -> bool:
    """Whether what this person asks for is the organisation's word: it is, of those who may give access."""
    if person_id is None:
        return False
    with acting_as(SYSTEM), tenant_transaction(tenant):
        return rights_of_user(person_id).can(Permission.GRANT_GIVE)


def set_access_policy(*, staff_may_confirm: bool, wait_hours: int) -> None:
    """What the tenant entered says about instructions that none of its own confirmed. Raises BadGrant."""
    if not WAIT_HOURS[0] <= wait_hours <= WAIT_HOURS[1]:
        raise BadGrant(f"The waiting time must be between {WAIT_HOURS[0]} and {WAIT_HOURS[1]} hours.")
    tenant, me = current_tenant(), current_actor()
    with control_transaction() as control:
        policy = access_policy(control, tenant.id)
        before = {"Staff may confirm": _yes(policy.staff_may_confirm), "Wait in hours": policy.wait_hours}
        policy.staff_may_confirm, policy.wait_hours = staff_may_confirm, wait_hours
        policy.changed_at, policy.changed_by_name = clock.now(), me.name
        control.merge(policy)
    after = {"Staff may confirm": _yes(staff_may_confirm), "Wait in hours": wait_hours}
    changes = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
    if changes:
        record("access_policy.changed", subject=tenant.name, details={"changes": changes})


def _confirm(grant: Grant, me: Actor, how: str, state: str, *, opens_at: datetime | None) -> None:
    values: dict[str, object] = {
        "state": state,
        "confirmed_at": clock.now(),
        "confirmed_by": me.id,
        "confirmed_by_name": me.name,
        "confirmed_how": how,
        "opens_at": opens_at,
        "ends_at": (opens_at or clock.now()) + LASTS,
    }
    waiting = Grant.id == grant.id, Grant.kind == "instruction", Grant.state == "waiting", Grant.ends_at > clock.now()
    if db.control.scalar(update(Grant).where(*waiting).values(**values).returning(Grant.id)) is None:
        raise Conflict("This instruction was already confirmed, or has ended.")
    db.control.refresh(grant)
    write_platform_audit("grant.instruction_confirmed", grant)


def _notify_customer(
    tenant: Tenant, grant: Grant, action: str, notify: Callable[[], object], details: dict[str, Any] | None = None
) -> None:
    """Write it down with the tenant's own role, as the system: nobody is let in by writing this down."""
    me = current_actor()
    with acting_as(Actor("system", name="QikBiz", request_id=me.request_id)), tenant_transaction(tenant):
        with acting_as(Actor("staff", me.id, me.name, instruction_of(grant), me.request_id, grant=grant.id)):
            write_audit(action, grant, **(details or {}))
        notify()


def _is_used(tenant: Tenant) -> bool:
    with acting_as(SYSTEM), tenant_transaction(tenant):
        return ever_signed_in()


def _yes(value: object) -> str:
    return "yes" if value else "no"
