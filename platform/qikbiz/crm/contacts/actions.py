"""Changing contacts, and the companies they belong to. The primary company is repeated on the contact."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import select

from qikbiz.audit.actions import Changes
from qikbiz.crm.companies.actions import create_company
from qikbiz.crm.companies.models import Company
from qikbiz.crm.contacts.fields import CONTACTS
from qikbiz.crm.contacts.models import Contact, ContactCompany
from qikbiz.crm.records.actions import change_record, create_record, note_change
from qikbiz.crm.records.row_access import reached_id, refuse_locked, require_access
from qikbiz.crm.schema.validation import FieldProblem
from qikbiz.identity.roles.current import current_rights
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import NotFound
from qikbiz.kernel.permissions import Action, record_permission


def create_contact(values: Mapping[str, object], record_id: UUID | None = None) -> Contact:
    """A new contact; a company that is only named is created too. Raises FieldProblem."""
    contact = create_record(CONTACTS, _with_company(values), record_id=record_id)
    _make_primary(contact, contact.company_id)
    return contact


def change_contact(contact: Contact, values: Mapping[str, object]) -> Changes:
    """Write `values` over a locked contact; gives what changed. Raises FieldProblem."""
    changes = change_record(CONTACTS, contact, _with_company(values))
    if "company_id" in changes:
        _make_primary(contact, contact.company_id)
    return changes


def link_company(contact: Contact, company: Company, role: str | None) -> None:
    """Add a company to a locked contact, or change the role in it. The first one is the primary one.

    Raises FieldProblem when this person may not say where somebody works.
    """
    _refuse_unless_linkable(contact, company.id)
    link = db.session.get(ContactCompany, (contact.id, company.id))
    before = _described(company, link.role) if link else None
    if link is None:
        hold_company(company.id)
        link = ContactCompany(contact_id=contact.id, company_id=company.id)
        db.session.add(link)
    link.role = role
    db.session.flush()
    note_change(CONTACTS, contact, {"companies": [before, _described(company, role)]})
    if contact.company_id is None:
        change_contact(contact, {"company_id": company.id, "company_name": company.name})


def unlink_company(contact: Contact, company_id: UUID) -> None:
    """Take a company off a locked contact. Another one, if any, becomes the primary one. Raises NotFound."""
    link = _link(contact, company_id)
    _refuse_unless_linkable(contact, company_id)
    company = db.session.get_one(Company, company_id)
    db.session.delete(link)
    db.session.flush()
    note_change(CONTACTS, contact, {"companies": [_described(company, link.role), None]})
    if contact.company_id == company_id:
        _fall_back(contact)


def choose_primary_company(contact: Contact, company_id: UUID) -> None:
    """Make one of a locked contact's companies the one shown in lists. Raises NotFound."""
    _link(contact, company_id)
    _refuse_unless_linkable(contact, company_id)
    company = db.session.get_one(Company, company_id)
    change_contact(contact, {"company_id": company.id, "company_name": company.name})


def _fall_back(contact: Contact) -> None:
    query = select(Company).join(ContactCompany, ContactCompany.company_id == Company.id)
    other = db.session.scalar(query.where(ContactCompany.contact_id == contact.id).order_by(Company.sort_name).limit(1))
    change_contact(contact, {"company_id": other.id if other else None, "company_name": other.name if other else None})


def _with_company(values: Mapping[str, object]) -> dict[str, object]:
    completed = dict(values)
    name = completed.get("company_name")
    if isinstance(name, str) and name and "company_id" in completed and completed["company_id"] is None:
        completed["company_id"] = _company_named(name)
    return completed


def _company_named(name: str) -> UUID:
    if not current_rights().can(record_permission("company", Action.CREATE)):
        raise FieldProblem(
            f"There is no company called “{name[:60]}”.", "Choose an existing company. You can't create one."
        )
    return create_company({"name": name}).id


def _refuse_unless_linkable(contact: Contact, company_id: UUID) -> None:
    require_access(CONTACTS, contact, Action.CHANGE)
    refuse_locked(CONTACTS, ["company_id"])
    if reached_id("company", company_id) is None:
        raise NotFound("This company no longer exists. Choose another one.")


def _make_primary(contact: Contact, company_id: UUID | None) -> None:
    for link in db.session.scalars(select(ContactCompany).where(ContactCompany.contact_id == contact.id)):
        link.is_primary = False
    # Before the next one is set: the database allows one primary link at a time.
    db.session.flush()
    if company_id is None:
        return
    primary = db.session.get(ContactCompany, (contact.id, company_id))
    if primary is None:
        hold_company(company_id)
        primary = ContactCompany(contact_id=contact.id, company_id=company_id)
        db.session.add(primary)
    primary.is_primary = True
    db.session.flush()


def hold_company(company_id: UUID) -> None:
    """Keep a company from being removed for good until the end of the transaction. Raises NotFound."""
    found = select(Company.id).where(Company.id == company_id).with_for_update(read=True, key_share=True)
    if db.session.scalar(found) is None:
        raise NotFound("This company no longer exists. Choose another one.")


def _link(contact: Contact, company_id: UUID) -> ContactCompany:
    link = db.session.get(ContactCompany, (contact.id, company_id))
    if link is None or reached_id("company", company_id) is None:
        raise NotFound("This contact does not belong to that company.")
    return link


def _described(company: Company, role: str | None) -> str:
    return f"{company.name} ({role})" if role else company.name
