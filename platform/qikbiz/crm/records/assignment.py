"""Who was given a record by somebody else is told: once for each act, however many records it was about.

New owners are collected while the act goes on and told at its end, so that pages, acts on many rows and a hand-over
need not count for themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from sqlalchemy.orm import Session

from qikbiz.crm.schema.models import Record
from qikbiz.crm.schema.record_type import RecordType
from qikbiz.kernel.actors import Actor, current_actor
from qikbiz.kernel.database import before_commit, require_tenant_session
from qikbiz.messaging.notifications.actions import notify
from qikbiz.web.formats import count

_NEW_OWNERS = "new_owners"
Given = dict[tuple[UUID, str], tuple[RecordType, list[Record]]]


def note_new_owner(record_type: RecordType, record: Record) -> None:
    """Remember that a record was given to its present owner, to be told at the end of the transaction."""
    if record.owner_id is None or record.owner_id == current_actor().id:
        return
    session = require_tenant_session()
    given: Given = session.info.setdefault(_NEW_OWNERS, {})
    if not given:
        # Before the audit takes its turn, which waits for nothing any more. Who acts is forgotten by then.
        before_commit(session, partial(_tell, session, current_actor()), is_first=True)
    given.setdefault((record.owner_id, record_type.name), (record_type, []))[1].append(record)


def tell_owner(owner_id: UUID, record_type: RecordType, amount: int) -> None:
    """For acts that change owners by SQL, such as an import: how many records somebody was given."""
    if amount and owner_id != current_actor().id:
        _tell_of_several(owner_id, record_type, amount, current_actor())


def notify_of_transfer(new_owner_id: UUID, former: str, moved: Sequence[tuple[RecordType, int]]) -> None:
    """Somebody was handed over everything of a colleague: one notification for all of it."""
    given = [(kind, amount) for kind, amount in moved if amount]
    if given and new_owner_id != current_actor().id:
        words = " and ".join(count(amount, kind.label.lower()) for kind, amount in given)
        subject = f"{_named(current_actor())} transferred {words} from {former} to you"
        notify([new_owner_id], "assigned", subject, _address_of_own(given[0][0]))


def _tell(session: Session, giver: Actor) -> None:
    given: Given = session.info.pop(_NEW_OWNERS, {})
    for (owner_id, _), (record_type, records) in sorted(given.items(), key=lambda pair: pair[0]):
        # What was given on, or taken back by a savepoint, in the meantime is nobody's news.
        theirs = list({record.id: record for record in records if record.owner_id == owner_id}.values())
        if len(theirs) == 1:
            _tell_of_one(owner_id, record_type, theirs[0], giver)
        elif theirs:
            _tell_of_several(owner_id, record_type, len(theirs), giver)


def _tell_of_one(owner_id: UUID, record_type: RecordType, record: Record, giver: Actor) -> None:
    name = record_type.name_of({field: getattr(record, field) for field in record_type.name_columns})
    subject = f"{_named(giver)} assigned the {record_type.name} {name} to you"
    notify([owner_id], "assigned", subject, f"/{record_type.plural}/{record.id}")


def _tell_of_several(owner_id: UUID, record_type: RecordType, amount: int, giver: Actor) -> None:
    words = count(amount, record_type.label.lower())
    notify([owner_id], "assigned", f"{_named(giver)} assigned {words} to you", _address_of_own(record_type))


def _address_of_own(record_type: RecordType) -> str:
    return f"/{record_type.plural}?owner_id=me&sort=-updated_at"


def _named(giver: Actor) -> str:
    if giver.kind == "staff":
        return f"{giver.name} of QikBiz"
    return giver.name or "Someone"
