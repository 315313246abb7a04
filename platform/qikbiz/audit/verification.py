"""Looking whether the chains are whole, and anchoring their heads where the owner of a tenant's schema can't write.

Each round goes on where the last one found all well, and reads a piece of the older part once more. The heads of all
days are kept in the control database, so that rewriting a chain would mean to change that too.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from qikbiz.audit.actions import record_on_platform
from qikbiz.audit.chain import PLATFORM_CHAIN
from qikbiz.audit.models import AuditAnchor, AuditCheck, AuditEvent, PlatformAuditEvent
from qikbiz.audit.serialization import frame_of
from qikbiz.audit.verify import BEFORE_THE_FIRST, TRIMMED, link_hash, private_hash
from qikbiz.kernel.clock import now
from qikbiz.kernel.database import control_transaction, tenant_transaction
from tenants.context import Tenant

# A chain that grew by more since the last round is looked at in several.
EVENTS_A_ROUND = 20_000
EVENTS_REREAD = 2_000
ANCHORS_KEPT = timedelta(days=400)
logger = logging.getLogger(__name__)
Model = type[AuditEvent] | type[PlatformAuditEvent]


@dataclass(frozen=True)
class Place:
    """A place in a chain: the number and the hash of an event. `reread` is where old events are read again."""

    seq: int = 0
    hash: bytes = BEFORE_THE_FIRST
    reread: int = 0


class Broken(Exception):
    """The chain is not as it was; the text says where and how."""


def check_tenant(tenant: Tenant) -> str:
    """Look at one tenant's chain, and anchor its head. Gives what is wrong with it, "" for nothing."""
    with control_transaction() as control:
        start, anchors = _known(control, tenant.id), _anchors(control, tenant.id)
    try:
        with tenant_transaction(tenant) as session:
            reached = _look(session, AuditEvent, tenant.id, start, anchors)
        problem = ""
    except Broken as broken:
        reached, problem = start, str(broken)
    with control_transaction() as control:
        _keep(control, tenant.id, reached, problem)
        if not problem and reached.seq:
            _anchor(control, tenant.id, reached)
    return problem


def check_platform() -> str:
    """The same for the platform's own chain. Its head goes to the log, which leaves the machine."""
    with control_transaction() as control:
        start = _known(control, PLATFORM_CHAIN)
        try:
            reached, problem = _look(control, PlatformAuditEvent, PLATFORM_CHAIN, start, {}), ""
        except Broken as broken:
            reached, problem = start, str(broken)
        _keep(control, PLATFORM_CHAIN, reached, problem)
    logger.info("platform_audit_head", extra={"seq": reached.seq, "hash": reached.hash.hex()})
    return problem


def state_of(control: Session, chain: UUID) -> AuditCheck | None:
    """What the last round found; None before the first one."""
    return control.get(AuditCheck, chain)


def follow(events: Iterable[AuditEvent | PlatformAuditEvent], place: Place) -> Place:
    """The place after these events. Raises Broken at the first that does not follow the one before."""
    for event in events:
        if event.seq != place.seq + 1:
            raise Broken(f"Entry {place.seq + 1} is missing.")
        if event.previous_hash != place.hash:
            raise Broken(f"Entry {event.seq} does not follow entry {place.seq}: one of the two was changed.")
        if link_hash(frame_of(event)) != event.hash or not _is_own_content(event):
            raise Broken(f"Entry {event.seq} was changed.")
        place = replace(place, seq=event.seq, hash=event.hash)
    return place


def _look(session: Session, model: Model, chain: UUID, start: Place, anchors: dict[int, bytes]) -> Place:
    oldest = select(model.seq, model.previous_hash).where(model.chain == chain).order_by(model.seq).limit(1)
    first = session.execute(oldest).one_or_none()
    if first is None:
        if start.seq or anchors:
            raise Broken("The whole audit is gone.")
        return start
    # What is cut off at the beginning was vouched for by an entry further on, which is in the chain itself.
    cut = Place(first.seq - 1, first.previous_hash)
    if cut.seq and not _is_vouched_for(session, model, chain, cut):
        raise Broken(f"The entries up to {cut.seq} are gone, and no entry says why.")
    standing = {seq: digest for seq, digest in {**anchors, start.seq: start.hash}.items() if seq > cut.seq}
    _compare(session, model, chain, standing)
    again = _read_again(session, model, chain, Place(max(start.reread, cut.seq), cut.hash))
    place = replace(start if start.seq >= cut.seq else cut, reread=again)
    newer = select(model).where(model.chain == chain, model.seq > place.seq).order_by(model.seq)
    return follow(session.scalars(newer.limit(EVENTS_A_ROUND)), place)


def _read_again(session: Session, model: Model, chain: UUID, start: Place) -> int:
    """A piece of what was found whole before; where the next round goes on."""
    standing = session.scalar(select(model.hash).where(model.chain == chain, model.seq == start.seq))
    older = select(model).where(model.chain == chain, model.seq > start.seq).order_by(model.seq).limit(EVENTS_REREAD)
    reached = follow(session.scalars(older), replace(start, hash=standing or start.hash))
    return reached.seq if reached.seq - start.seq == EVENTS_REREAD else 0


def _compare(session: Session, model: Model, chain: UUID, known: dict[int, bytes]) -> None:
    there = select(model.seq, model.hash).where(model.chain == chain, model.seq.in_(known))
    found = {row.seq: row.hash for row in session.execute(there)}
    for seq, digest in sorted(known.items()):
        if found.get(seq) != digest:
            what = "is gone" if seq not in found else "is not the original one"
            raise Broken(f"Entry {seq} {what}: the audit was rewritten.")


def _is_vouched_for(session: Session, model: Model, chain: UUID, cut: Place) -> bool:
    wanted = {"chain": str(chain), "seq": cut.seq, "hash": cut.hash.hex()}
    recorded = session.scalars(select(model.details).where(model.chain == chain, model.action == TRIMMED))
    return any(wanted.items() <= details.items() for details in recorded)


def _is_own_content(event: AuditEvent | PlatformAuditEvent) -> bool:
    if event.salt is None:
        return not event.subject and not event.details
    return private_hash(event.salt, event.subject, event.details) == event.private_hash


def _known(control: Session, chain: UUID) -> Place:
    found = state_of(control, chain)
    return Place(found.seq, found.hash, found.reread) if found else Place()


def _anchors(control: Session, tenant_id: UUID) -> dict[int, bytes]:
    rows = control.execute(select(AuditAnchor.seq, AuditAnchor.hash).where(AuditAnchor.tenant_id == tenant_id))
    return {row.seq: row.hash for row in rows}


def _keep(control: Session, chain: UUID, reached: Place, problem: str) -> None:
    before = state_of(control, chain)
    if problem and (before is None or before.problem != problem):
        logger.critical("audit_chain_broken", extra={"chain": str(chain), "problem": problem})
        tenant_id = None if chain == PLATFORM_CHAIN else chain
        record_on_platform("audit.found_broken", tenant_id=tenant_id, subject=str(chain), details={"problem": problem})
    values = {"seq": reached.seq, "hash": reached.hash, "reread": reached.reread, "problem": problem, "at": now()}
    statement = insert(AuditCheck).values(chain=chain, **values)
    control.execute(statement.on_conflict_do_update(index_elements=[AuditCheck.chain], set_=values))


def _anchor(control: Session, tenant_id: UUID, head: Place) -> None:
    today: date = now().astimezone(UTC).date()
    values = {"seq": head.seq, "hash": head.hash, "at": now()}
    statement = insert(AuditAnchor).values(tenant_id=tenant_id, day=today, **values)
    same_day = [AuditAnchor.tenant_id, AuditAnchor.day]
    control.execute(statement.on_conflict_do_update(index_elements=same_day, set_=values))
    old = (AuditAnchor.tenant_id == tenant_id, AuditAnchor.day < today - ANCHORS_KEPT)
    control.execute(delete(AuditAnchor).where(*old))
