"""How a contact is named in another contact's form."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from qikbiz.crm.contacts.fields import CONTACTS
from qikbiz.crm.contacts.models import Contact
from qikbiz.crm.records.field_access import visible_type
from qikbiz.crm.records.row_access import shown_column, visible_rows
from qikbiz.crm.records.search_condition import search_condition
from qikbiz.crm.schema.normalize import fold
from qikbiz.crm.schema.registry import References
from qikbiz.crm.schema.validation import FieldProblem
from qikbiz.kernel.database import db
from qikbiz.kernel.permissions import Action

# "Ann Lee (ann@example.com)": brackets hold what tells two of one name apart.
_WITH_HINT = re.compile(r"^(?P<name>.*\S)\s*\((?P<hint>[^()]+)\)$", re.DOTALL)
MOST_OF_ONE_NAME = 50


def contact_id(text: str | None, edited: Any = None) -> UUID | None:
    """The contact typed as `Ann Lee (ann@example.com)`, as an address, or as a name that only one has.

    Raises FieldProblem when there is none or more than one, and for `edited` itself.
    """
    typed = (text or "").strip()
    if not typed:
        return None
    hinted = _WITH_HINT.match(typed)
    found = [row for row in _contacts_like(hinted["hint"] if hinted else typed) if _is_meant(row, typed)]
    if len(found) != 1:
        raise FieldProblem(
            f"{'Several contacts are' if found else 'No contact is'} called “{typed[:60]}”.",
            "Choose one of the suggestions.",
        )
    if edited is not None and found[0].id == edited.id:
        raise FieldProblem("A contact can't report to themselves.", "Choose another contact.")
    ident: UUID = found[0].id
    return ident


def contact_text(contact: Any) -> str:
    """A contact, or a row with its names, so that it can be typed back."""
    known = visible_type(CONTACTS)
    name = known.name_of({column: getattr(contact, column) for column in known.name_columns})
    email = contact.email if "email" not in known.hidden else None
    return f"{name} ({email})" if email and email != name else name


def _contacts_like(typed: str) -> list[Row[Any]]:
    columns = Contact.__table__.c
    known = visible_type(CONTACTS)
    query = select(*(shown_column(known, name) for name in ("id", *known.name_columns)))
    wanted = (columns.deleted_at.is_(None), search_condition(known, typed), *visible_rows(known, Action.SEE))
    return list(db.session.execute(query.where(*wanted).order_by(columns.id).limit(MOST_OF_ONE_NAME)))


def _is_meant(row: Row[Any], typed: str) -> bool:
    called = visible_type(CONTACTS).name_of(row._asdict())
    return fold(typed) in (fold(contact_text(row)), fold(called), getattr(row, "email", None))


REFERENCES = References(find=contact_id, require=contact_id, text=contact_text)
