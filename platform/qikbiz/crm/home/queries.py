"""What the first page shows. Counts stop early: a million contacts must not make it slow."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from qikbiz.crm.companies.models import Company
from qikbiz.crm.contacts.fields import CONTACTS
from qikbiz.crm.contacts.models import Contact
from qikbiz.crm.home.cards import RECENT
from qikbiz.crm.records.row_access import visible_rows
from qikbiz.crm.schema.registry import RECORD_TYPES
from qikbiz.kernel.database import db
from qikbiz.kernel.permissions import Action

COUNT_UP_TO = 10_000


@dataclass(frozen=True, slots=True)
class Count:
    """`is_more` when there are more than were counted."""

    number: int
    is_more: bool


def count_alive(record_type: type[Contact] | type[Company]) -> Count:
    """How many records this person sees, counted up to COUNT_UP_TO."""
    declared = RECORD_TYPES[record_type.__tablename__]
    wanted = (record_type.deleted_at.is_(None), *visible_rows(declared, Action.SEE))
    some = select(record_type.id).where(*wanted).limit(COUNT_UP_TO + 1).subquery()
    number = db.session.scalar(select(func.count()).select_from(some)) or 0
    return Count(min(number, COUNT_UP_TO), number > COUNT_UP_TO)


def recent_contacts() -> list[Contact]:
    """Those changed last."""
    wanted = (Contact.deleted_at.is_(None), *visible_rows(CONTACTS, Action.SEE))
    statement = select(Contact).where(*wanted).order_by(Contact.updated_at.desc(), Contact.id.desc())
    return list(db.session.scalars(statement.limit(RECENT)))
