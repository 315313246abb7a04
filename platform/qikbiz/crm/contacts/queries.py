"""What a contact's page shows beside its fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask_login import current_user
from sqlalchemy import and_, literal_column, or_, select

from qikbiz.crm.companies.fields import COMPANIES
from qikbiz.crm.companies.models import Company
from qikbiz.crm.contacts.fields import CONTACTS
from qikbiz.crm.contacts.models import Contact, ContactCompany
from qikbiz.crm.records.field_access import visible_type
from qikbiz.crm.records.row_access import shown_column, visible_rows
from qikbiz.kernel.database import db
from qikbiz.kernel.permissions import Action, record_permission

MOST_CONTACTS = 20


def companies_of(contact_id: UUID) -> Sequence[Any]:
    """The companies of a contact that are not in the trash, the primary one first, as (id, name, role, is_primary)."""
    query = (
        select(Company.id, Company.name, ContactCompany.role, ContactCompany.is_primary)
        .join(ContactCompany, ContactCompany.company_id == Company.id)
        .where(ContactCompany.contact_id == contact_id, Company.deleted_at.is_(None))
        .where(*visible_rows(COMPANIES, Action.SEE))
    )
    return db.session.execute(query.order_by(ContactCompany.is_primary.desc(), Company.sort_name)).all()


def contacts_with_the_same_email(contact: Contact, limit: int) -> Sequence[Any]:
    """Other contacts that share an address with this one, as far as this person may see them and their addresses.

    Their id and name columns, the oldest first; those in the trash are left out.
    """
    known = visible_type(CONTACTS)
    addresses = [entry["address"].lower() for entry in contact.emails]
    if not addresses or {"email", "emails", "other_emails"} & set(known.hidden):
        return []
    names = [name for name in ("id", *known.name_columns) if name not in known.hidden]
    query = (
        select(*(shown_column(known, name) for name in names))
        .where(Contact.id != contact.id, Contact.deleted_at.is_(None))
        .where(
            or_(
                Contact.email.in_(addresses),
                and_(Contact.other_emails.overlap(addresses), Contact.other_emails != literal_column("'{}'")),
            )
        )
        .where(*visible_rows(known, Action.SEE))
    )
    return db.session.execute(query.order_by(Contact.id).limit(limit)).all()


def panel_of_contact(contact_id: UUID) -> dict[str, Any] | None:
    """What a contact's page says of its companies; None for a user who doesn't know of them."""
    if not visible_type(CONTACTS).has_field("company_name"):
        return None
    return {"companies": companies_of(contact_id)}


def panel_of_company(company_id: UUID) -> dict[str, Any] | None:
    """What a company's page says of its contacts; None for a user who sees no contacts."""
    if not current_user.can(record_permission("contact", Action.SEE)):
        return None
    found = contacts_of(company_id, MOST_CONTACTS + 1)
    called = visible_type(CONTACTS).name_of
    people = [(row, called(row._asdict())) for row in found[:MOST_CONTACTS]]
    return {"contacts": people, "has_more": len(found) > MOST_CONTACTS}


def contacts_of(company_id: UUID, limit: int) -> Sequence[Any]:
    """The people of a company that this person may see, by name, as their name columns, role and id."""
    known = visible_type(CONTACTS)
    names = [name for name in ("id", *known.name_columns, "job_title") if name not in known.hidden]
    query = (
        select(*(shown_column(known, name) for name in names), ContactCompany.role)
        .select_from(Contact)
        .join(ContactCompany, ContactCompany.contact_id == Contact.id)
        .where(ContactCompany.company_id == company_id, Contact.deleted_at.is_(None))
        .where(*visible_rows(known, Action.SEE))
    )
    return db.session.execute(query.order_by(Contact.sort_name, Contact.id).limit(limit)).all()
