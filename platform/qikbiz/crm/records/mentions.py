"""@Ann Lee in a description tells Ann Lee. Records have no notes yet, so the description is where people write."""

from __future__ import annotations

import re
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select

from qikbiz.crm.schema.models import Record
from qikbiz.crm.schema.record_type import RecordType
from qikbiz.identity.accounts.models import User
from qikbiz.identity.roles.effective_rights import granted_rights
from qikbiz.kernel.actors import current_actor
from qikbiz.kernel.database import db
from qikbiz.kernel.permissions import Action
from qikbiz.messaging.notifications.actions import notify

MOST_AT_ONCE = 50


def tell_mentioned(record_type: RecordType, record: Record, before: str | None, after: str | None) -> None:
    """Tell whoever the new text names and the old one did not, and who may see the record."""
    if "@" not in (after or ""):
        return
    people = db.session.scalars(select(User).where(User.state == "active", User.id != current_actor().id)).all()
    new = mentioned_in(after or "", people) - mentioned_in(before or "", people)
    told = [person.id for person in people if person.id in new and _may_see(person, record_type, record)]
    name = record_type.name_of({field: getattr(record, field) for field in record_type.name_columns})
    subject = f"{current_actor().name or 'Someone'} mentioned you in the description of {name}"
    notify(told[:MOST_AT_ONCE], "mentioned", subject, f"/{record_type.plural}/{record.id}")


def mentioned_in(text: str, people: Iterable[User]) -> set[UUID]:
    """Who is named after an @: by the whole name or the first part of the address, in any case of letters.

    A name that two people bear, or a first name alone, means nobody: better no mail than the wrong one.
    """
    found: dict[str, list[UUID]] = {}
    for person in people:
        for handle in {" ".join(person.name.split()).casefold(), person.email_key.partition("@")[0]} - {""}:
            found.setdefault(handle, []).append(person.id)
    # Longest first, so that @Ann Lee-Young is not taken for @Ann Lee.
    handles = sorted((handle for handle in found if len(found[handle]) == 1), key=len, reverse=True)
    if not handles:
        return set()
    pattern = re.compile(rf"(?<![\w@.])@({'|'.join(map(re.escape, handles))})(?![\w-])")
    return {found[match[1]][0] for match in pattern.finditer(" ".join(text.split()).casefold())}


def _may_see(person: User, record_type: RecordType, record: Record) -> bool:
    rights = granted_rights(db.session(), person.id, person.roles)
    return rights.reaches(record_type.name, Action.SEE, record.owner_id)
