"""Giving all records of one user to another, with a line in the history of each: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from qikbiz.audit.actions import record
from qikbiz.audit.models import RecordChange
from qikbiz.crm.record_ownership.queries import owned_by
from qikbiz.crm.records.assignment import notify_of_transfer
from qikbiz.crm.schema.record_type import RecordType
from qikbiz.crm.schema.registry import BY_SINGULAR, RECORD_TYPES
from qikbiz.identity.accounts.models import User
from qikbiz.identity.members.queries import user_for_reading
from qikbiz.identity.roles.current import current_rights
from qikbiz.identity.roles.delegation import BeyondOwnRights, may_act_on
from qikbiz.jobs.actions import enqueue
from qikbiz.jobs.models import Job
from qikbiz.kernel import clock
from qikbiz.kernel.actors import current_actor
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import Conflict, Failure
from qikbiz.kernel.permissions import Action
from tenants.control import new_id

# More than this would keep a page waiting: a worker does it, and the page shows how far it is.
MOST_AT_ONCE = 2_000
_BLOCK = 1_000
Watch = Callable[[int, int | None, str], None]


def _ignore(_done: int, _total: int | None, _note: str) -> None:
    """No one is watching."""


def transfer_records(user_id: UUID, new_owner_id: UUID) -> Job | None:
    """Give everything to `new_owner_id`, now or, when it is much, by the job that is returned. Raises Failure."""
    user, new_owner = _both(user_id, new_owner_id)
    if owned_by(user_id).total <= MOST_AT_ONCE:
        move_records(db.session(), user_id, new_owner_id)
        return None
    arguments = {"from": str(user.id), "to": str(new_owner.id), "by": str(current_actor().id)}
    return enqueue("records.transfer", arguments, created_by=current_actor().id)


def move_records(session: Session, user_id: UUID, new_owner_id: UUID, watch: Watch = _ignore) -> int:
    """The work itself, in the transaction at hand. Gives how many records changed hands."""
    user, new_owner = _both(user_id, new_owner_id)
    total, moved = owned_by(user_id).total, dict[str, int]()
    for kind in RECORD_TYPES.values():
        done = 0
        while block := _next_block(session, kind, user_id):
            _give(session, kind, block, user_id, new_owner_id)
            done += len(block)
            watch(sum(moved.values()) + done, total, f"Transferring {kind.plural}")
        moved[kind.plural] = done
    details = {"to": new_owner.name, "to_id": str(new_owner.id), **moved}
    record("user.records_handed_over", record_type="user", record_id=user.id, subject=user.email, details=details)
    notify_of_transfer(new_owner.id, user.name, [(kind, moved[kind.plural]) for kind in RECORD_TYPES.values()])
    return sum(moved.values())


def _both(user_id: UUID, new_owner_id: UUID) -> tuple[User, User]:
    user, new_owner = user_for_reading(user_id), db.session.get(User, new_owner_id)
    if user_id == new_owner_id:
        raise Failure("Choose another user. This user already owns these records.")
    if new_owner is None or new_owner.state == "disabled":
        raise Conflict("Records can only be transferred to an active or invited user.")
    may_act_on(user)
    for kind, number in owned_by(user_id).counts.items():
        if number:
            _may_move(BY_SINGULAR[kind], user_id, new_owner_id)
    return user, new_owner


def _may_move(kind: RecordType, user_id: UUID, new_owner_id: UUID) -> None:
    """Managing users gives nobody a way to records that they couldn't change one by one. Raises BeyondOwnRights."""
    rights = current_rights()
    is_in_reach = all(rights.reaches(kind.name, Action.CHANGE, owner) for owner in (user_id, new_owner_id))
    if not is_in_reach or "owner_id" in rights.unchangeable(kind.name):
        raise BeyondOwnRights(f"To transfer {kind.plural}, you must be able to change those of both owners.")


def _next_block(session: Session, kind: RecordType, user_id: UUID) -> list[tuple[UUID, int]]:
    model = kind.model
    query = select(model.id, model.version).where(model.owner_id == user_id).order_by(model.id).limit(_BLOCK)
    return [(row.id, row.version) for row in session.execute(query.with_for_update())]


def _give(session: Session, kind: RecordType, block: list[tuple[UUID, int]], user_id: UUID, new_owner_id: UUID) -> None:
    model, actor = kind.model, current_actor()
    changes = {"owner_id": [str(user_id), str(new_owner_id)]}
    shared = {
        "record_type": kind.name,
        "kind": "changed",
        "source": "form",
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "actor_name": actor.name,
        "changes": changes,
    }
    lines = [{"id": new_id(), "record_id": ident, "version": version + 1, **shared} for ident, version in block]
    session.execute(insert(RecordChange), lines)
    columns: Any = model
    session.execute(
        update(columns)
        .where(columns.id.in_([ident for ident, _ in block]))
        .values(owner_id=new_owner_id, version=columns.version + 1, updated_at=clock.now(), updated_by=actor.id)
        .execution_options(synchronize_session=False)
    )
