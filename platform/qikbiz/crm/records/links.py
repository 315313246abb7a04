"""Fields that name another record: what is typed, found by name or address, becomes an id."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from sqlalchemy import Row, null, select

from qikbiz.crm.companies.fields import COMPANIES
from qikbiz.crm.companies.models import Company
from qikbiz.crm.contacts.fields import CONTACTS
from qikbiz.crm.contacts.models import Contact
from qikbiz.crm.records.field_access import visible_type
from qikbiz.crm.records.fields import Field, FieldKind
from qikbiz.crm.records.normalize import clean_text, fold, name_key
from qikbiz.crm.records.owners import colleague_by_email, possible_owners
from qikbiz.crm.records.row_access import shown_column, visible_rows
from qikbiz.crm.records.search import search_condition
from qikbiz.crm.records.validation import FieldProblem
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import Failure
from qikbiz.kernel.rights import Action

# "Acme (acme.example)": what tells two of one name apart stands in brackets.
_WITH_HINT = re.compile(r"^(?P<name>.*\S)\s*\((?P<hint>[^()]+)\)$", re.DOTALL)
MOST_OF_ONE_NAME = 50


def linked_columns(field: Field, value: Any, record: Any) -> dict[str, Any]:
    """The columns that a typed link writes. Raises FieldProblem when it names nothing, or several.

    A company that does not exist yet leaves `company_id` empty: the action that saves the contact creates it.
    """
    if field.kind is FieldKind.OWNER:
        return {field.name: _owner_id(value)}
    if field.name == "company_name":
        return _company_columns(value, record)
    found = company_id(value) if value else None
    if value and found is None:
        raise FieldProblem(f"There is no company called “{value[:60]}”.", "Choose one that exists.")
    if record is not None and found == record.id:
        raise FieldProblem("It can't be part of itself.", "Choose another one.")
    return {field.name: found}


def shown_link(field: Field, record: Any) -> str:
    """A link as it is typed."""
    value = getattr(record, field.name)
    if value is None:
        return ""
    if field.name == "parent_id":
        parent = db.session.get(Company, value)
        return company_text(parent.name, parent.domain) if parent else ""
    if field.kind is FieldKind.CONTACT:
        contact = db.session.get(Contact, value)
        return contact_text(contact) if contact else ""
    return str(value)


def company_text(name: str, domain: str | None) -> str:
    """A company so that it can be typed back: `Acme (acme.example)`."""
    return f"{name} ({domain})" if domain else name


def company_id(text: str) -> UUID | None:
    """The company of that name, or None. Raises FieldProblem when several have it and nothing tells them apart.

    Accents count: a name that differs in them alone is proposed and not taken.
    """
    alike = _companies_like(text)
    found = _named(alike, text)
    hinted = _WITH_HINT.match(text)
    if not found and hinted:
        hint = hinted["hint"].lower()
        found = [row for row in _named(_companies_like(hinted["name"]), hinted["name"]) if row.domain == hint]
    if len(found) > 1:
        domains = ", ".join(row.domain for row in found if row.domain)
        raise FieldProblem(
            f"Several companies are called “{text[:60]}”.",
            f"Add the domain in brackets: {domains}." if domains else "Give them different names first.",
        )
    if not found and alike:
        raise FieldProblem(
            f"There is no company called “{text[:60]}”, but one called “{alike[0].name}”.",
            "Choose that one, or create the other company first.",
        )
    return found[0].id if found else None


def company_to_link(text: str) -> Company:
    """The company that was typed; Failure when it is not there or not the only one of that name."""
    try:
        found = company_id(clean_text(text[:300])) if text.strip() else None
    except FieldProblem as problem:
        raise Failure(str(problem)) from None
    if found is None:
        raise Failure(f"There is no company called “{text[:60]}”. Create it first, then add it here.")
    return db.session.get_one(Company, found)


def contact_id(text: str, *, but_not: Any = None) -> UUID | None:
    """The contact typed as `Ann Lee (ann@example.com)`, as an address, or as a name that only one has."""
    typed = text.strip()
    if not typed:
        return None
    hinted = _WITH_HINT.match(typed)
    found = [row for row in _contacts_like(hinted["hint"] if hinted else typed) if _is_meant(row, typed)]
    if len(found) != 1:
        raise FieldProblem(
            f"{'Several contacts are' if found else 'No contact is'} called “{typed[:60]}”.",
            "Choose one of those offered while you type.",
        )
    if but_not is not None and found[0].id == but_not.id:
        raise FieldProblem("Nobody reports to themselves.", "Choose somebody else.")
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


def _companies_like(name: str) -> list[Row[Any]]:
    """The companies of that name, whatever its accents."""
    known = visible_type(COMPANIES)
    domain = null() if "domain" in known.hidden else Company.domain
    query = select(Company.id, Company.name, domain.label("domain")).where(
        Company.sort_name == fold(name), Company.deleted_at.is_(None), *visible_rows(known, Action.SEE)
    )
    return list(db.session.execute(query.limit(MOST_OF_ONE_NAME)))


def _named(companies: list[Row[Any]], name: str) -> list[Row[Any]]:
    return [row for row in companies if name_key(row.name) == name_key(name)]


def _company_columns(name: str | None, record: Any) -> dict[str, Any]:
    if name is None:
        return {"company_name": None, "company_id": None}
    if record is not None and record.company_id is not None and name == record.company_name:
        return {"company_name": name, "company_id": record.company_id}
    found = company_id(name)
    if found is None:
        return {"company_name": name, "company_id": None}
    company = db.session.get(Company, found)
    return {"company_name": company.name if company else name, "company_id": found}


def _owner_id(value: UUID | str | None) -> UUID | None:
    if value is None:
        return None
    found = colleague_by_email(value) if isinstance(value, str) else value
    if found is None or found not in possible_owners():
        raise FieldProblem("That person can't own a record here.", "Choose one of the list.")
    return found
