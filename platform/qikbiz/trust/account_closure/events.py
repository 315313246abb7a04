"""Each act on a closing: a row with the act itself, a line in the platform's audit, and one in the tenant's own.

The control database and the tenant's are two, so no transaction holds both. The row comes first; the tenant's line is
written after it, in the current request or by the next round of the job that advances closings, and never twice.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select, update

from qikbiz.audit.actions import record, record_on_platform
from qikbiz.audit.models import AuditEvent
from qikbiz.kernel import clock
from qikbiz.kernel.actors import Actor, acting_as, current_actor, kind_of
from qikbiz.kernel.database import control_transaction, db, tenant_transaction
from qikbiz.trust.account_closure.models import Closing, ClosingEvent
from tenants.context import Tenant

RECORD_TYPE = "closing"


def record_step(closing: Closing, action: str, subject: str, **details: object) -> None:
    """Write the act down, in the control transaction that does it. `subject` is the tenant's address."""
    actor = current_actor()
    event = ClosingEvent(
        closing_id=closing.id,
        tenant_id=closing.tenant_id,
        at=clock.now(),
        action=action,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name,
        details=details,
    )
    db.control.add(event)
    # The platform's audit outlives the customer, so the customer's people are not named in it.
    shown = actor if actor.kind != "user" else Actor("user", actor.id, "An administrator", request_id=actor.request_id)
    with acting_as(shown):
        record_on_platform(f"closing.{action}", tenant_id=closing.tenant_id, subject=subject, details=details)


def update_tenant_audit(closing_id: UUID) -> None:
    """Bring the tenant's audit up to date, in the tenant's current transaction."""
    with control_transaction() as control:
        waiting = select(ClosingEvent).where(ClosingEvent.closing_id == closing_id, ClosingEvent.noted_at.is_(None))
        events = control.scalars(waiting.order_by(ClosingEvent.id)).all()
    for event in events:
        if not _stands(event.id):
            _write(event)


def catch_up(tenant: Tenant, closing_id: UUID) -> None:
    """The same in a transaction of its own, after which it is known that everything stands there."""
    with control_transaction() as control:
        waiting = select(ClosingEvent.id).where(ClosingEvent.closing_id == closing_id, ClosingEvent.noted_at.is_(None))
        ids = list(control.scalars(waiting))
    if not ids:
        return
    with tenant_transaction(tenant):
        update_tenant_audit(closing_id)
    with control_transaction() as control:
        control.execute(update(ClosingEvent).where(ClosingEvent.id.in_(ids)).values(noted_at=clock.now()))


def _stands(event_id: UUID) -> bool:
    known = select(AuditEvent.id).where(AuditEvent.record_type == RECORD_TYPE, AuditEvent.record_id == event_id)
    return db.session.scalar(known.limit(1)) is not None


def _write(event: ClosingEvent) -> None:
    kind = kind_of(event.actor_kind)
    with acting_as(Actor(kind, event.actor_id, event.actor_name, request_id=current_actor().request_id)):
        record(f"closing.{event.action}", record_type=RECORD_TYPE, record_id=event.id, details=event.details)
