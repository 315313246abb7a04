"""Links of contacts to companies, from the company's side and when a contact goes."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, text, update

from qikbiz.audit.actions import Changes
from qikbiz.crm.contacts.models import Contact, ContactCompany
from qikbiz.crm.schema.models import Record
from qikbiz.kernel.database import db


def leave_all_companies(contact_id: UUID) -> None:
    """A contact belongs to no company any more."""
    db.session.execute(delete(ContactCompany).where(ContactCompany.contact_id == contact_id))


def leave_company(company_id: UUID) -> None:
    """Take every contact out of a locked company; each keeps what it was called."""
    # An import at work may have linked contacts to it that other transactions do not see yet.
    db.session.execute(text("LOCK TABLE import_updates IN SHARE UPDATE EXCLUSIVE MODE"))
    db.session.execute(delete(ContactCompany).where(ContactCompany.company_id == company_id))
    db.session.execute(update(Contact).where(Contact.company_id == company_id).values(company_id=None))


def repeat_company_name(company: Record, changes: Changes) -> None:
    """Contacts repeat the name of their company for the list. Not a change of the contacts: their version stays."""
    if "name" in changes:
        _before, name = changes["name"]
        db.session.execute(update(Contact).where(Contact.company_id == company.id).values(company_name=name))
