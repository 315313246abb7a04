"""Events take their place in the chain as the last thing before the commit (docs/audit-format.md).

Collected until then, they are numbered while everybody else who wants to add waits. So the chain has no gap and no
fork, holds exactly what was committed, and nobody waits for longer than one insert: the holder of the turn takes no
other lock any more, which also rules out a deadlock.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import TypeVar
from uuid import UUID

from sqlalchemy import event, func, select
from sqlalchemy.orm import Session, SessionTransaction

from qikbiz.audit.models import AuditEvent, PlatformAuditEvent
from qikbiz.audit.serialization import SALT_BYTES, frame_of
from qikbiz.audit.verify import BEFORE_THE_FIRST, link_hash, private_hash
from qikbiz.kernel.database import ControlSession, TenantSession, before_commit
from tenants.context import current_tenant

Event = TypeVar("Event", AuditEvent, PlatformAuditEvent)
PLATFORM_CHAIN = UUID(int=0)
_WAITING, _MARKS = "audit_waiting", "audit_marks"
_TENANTS_TURN = "LOCK TABLE audit_turns IN SHARE UPDATE EXCLUSIVE MODE"
_PLATFORMS_TURN = "SELECT pg_advisory_xact_lock(81, 66)"


def collect(session: Session, happened: Event) -> Event:
    """Keep an event until the commit. A savepoint that is rolled back takes its events with it."""
    waiting: list[object] = session.info.setdefault(_WAITING, [])
    if not waiting:
        before_commit(session, partial(_seal, session))
    waiting.append(happened)
    return happened


def has_events(session: Session) -> bool:
    """Whether something waits to be added to the chain with the commit of `session`."""
    return bool(session.info.get(_WAITING))


def chain_of(session: Session) -> UUID:
    """A tenant's chain bears the tenant's id, so that it can't be passed off as another's."""
    return current_tenant().id if isinstance(session, TenantSession) else PLATFORM_CHAIN


def _seal(session: Session) -> None:
    waiting: list[AuditEvent] | list[PlatformAuditEvent] = session.info.pop(_WAITING, [])
    if not waiting:
        return
    # What else there is to write may have to wait for others; it does so before the turn is taken.
    session.flush()
    is_tenants = isinstance(session, TenantSession)
    session.connection().exec_driver_sql(_TENANTS_TURN if is_tenants else _PLATFORMS_TURN)
    _link(session, waiting)
    session.add_all(waiting)
    session.flush()


def _link(session: Session, waiting: Sequence[AuditEvent] | Sequence[PlatformAuditEvent]) -> None:
    chain = chain_of(session)
    seq, previous, moment = _head(session, type(waiting[0]), chain)
    for happened in waiting:
        seq += 1
        happened.chain, happened.seq, happened.at, happened.previous_hash = chain, seq, moment, previous
        happened.salt = secrets.token_bytes(SALT_BYTES)
        happened.private_hash = private_hash(happened.salt, happened.subject, happened.details)
        happened.hash = previous = link_hash(frame_of(happened))


def _head(
    session: Session, model: type[AuditEvent] | type[PlatformAuditEvent], chain: UUID
) -> tuple[int, bytes, datetime]:
    # A statement of its own after the turn was taken: it sees what the transaction before has committed.
    question = f"SELECT seq, hash, clock_timestamp() FROM {model.__tablename__} WHERE chain = %s"
    newest = session.connection().exec_driver_sql(f"{question} ORDER BY seq DESC LIMIT 1", (chain,)).one_or_none()
    if newest is None:
        return 0, BEFORE_THE_FIRST, session.execute(select(func.clock_timestamp())).scalar_one()
    return newest[0], newest[1], newest[2]


@event.listens_for(TenantSession, "after_transaction_create")
@event.listens_for(ControlSession, "after_transaction_create")
def _mark(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        session.info.setdefault(_MARKS, {})[transaction] = len(session.info.get(_WAITING, ()))


@event.listens_for(TenantSession, "after_soft_rollback")
@event.listens_for(ControlSession, "after_soft_rollback")
def _forget(session: Session, transaction: SessionTransaction) -> None:
    if _WAITING in session.info:
        del session.info[_WAITING][session.info.get(_MARKS, {}).get(transaction, 0) :]
