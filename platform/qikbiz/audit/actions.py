"""Writing the audit and the history of records, always in the transaction of the act itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal
from uuid import UUID

from qikbiz.audit.chain import collect
from qikbiz.audit.models import AuditEvent, PlatformAuditEvent, RecordChange
from qikbiz.audit.serialization import exact
from qikbiz.kernel.actors import current_actor
from qikbiz.kernel.database import db
from tenants.control import new_id

ChangeKind = Literal["created", "changed", "deleted", "restored"]
Source = Literal["form", "import", "undo", "command"]
Changes = dict[str, list[Any]]


def record(
    action: str,
    *,
    record_type: str = "",
    record_id: UUID | None = None,
    subject: str = "",
    details: Mapping[str, object] | None = None,
) -> AuditEvent:
    """Add one event to the tenant's audit. `action` reads thing.verb in the past tense, such as contact.changed.

    It takes its place in the chain, and its time, at the commit; until then no query sees it.
    """
    actor = current_actor()
    recorded = dict(details or {})
    if actor.instruction:
        recorded["instruction"] = actor.instruction
    event = AuditEvent(
        id=new_id(),
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name,
        action=action,
        record_type=record_type,
        record_id=record_id,
        subject=subject,
        details=exact(recorded),
        request_id=actor.request_id,
    )
    return collect(db.session(), event)


def record_change(
    record_type: str,
    record_id: UUID,
    version: int,
    kind: ChangeKind,
    changes: Changes,
    *,
    subject: str = "",
    source: Source = "form",
    import_id: UUID | None = None,
) -> RecordChange:
    """Add one change to a record's history and to the audit. `changes` is {field: [old, new]}."""
    actor = current_actor()
    change = RecordChange(
        record_type=record_type,
        record_id=record_id,
        version=version,
        kind=kind,
        source=source,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name,
        import_id=import_id,
        changes=changes,
    )
    db.session.add(change)
    record(
        f"{record_type}.{kind}",
        record_type=record_type,
        record_id=record_id,
        subject=subject,
        details={"changes": changes},
    )
    return change


def record_on_platform(
    action: str, *, tenant_id: UUID | None = None, subject: str = "", details: Mapping[str, object] | None = None
) -> PlatformAuditEvent:
    """Add one event to the platform's audit (control database)."""
    actor = current_actor()
    event = PlatformAuditEvent(
        id=new_id(),
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name,
        action=action,
        tenant_id=tenant_id,
        subject=subject,
        details=exact(details or {}),
        request_id=actor.request_id,
    )
    return collect(db.control(), event)
