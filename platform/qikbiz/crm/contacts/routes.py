"""Contacts, as a kind of record: what their pages have that those of other kinds have not."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue

from qikbiz.crm.companies.references import company_to_link
from qikbiz.crm.contacts import actions
from qikbiz.crm.contacts.actions import change_contact, create_contact
from qikbiz.crm.contacts.fields import CONTACTS
from qikbiz.crm.contacts.forms import CompanyForm
from qikbiz.crm.contacts.models import Contact
from qikbiz.crm.contacts.queries import contacts_with_the_same_email
from qikbiz.crm.records.actions import record_for_changing
from qikbiz.crm.records.field_access import visible_type
from qikbiz.crm.records.urls import open_record_pages
from qikbiz.crm.records.views import RecordViews
from qikbiz.crm.schema.normalize import clean_text
from qikbiz.kernel.access import access
from qikbiz.kernel.permissions import Action, record_permission
from qikbiz.web.flash import show_toast

contacts = Blueprint("contacts", __name__, template_folder="templates", url_prefix="/contacts")


def tell_of_the_same_email(contact: Contact) -> None:
    """Two contacts with one address are often one person, but not always: nothing is refused."""
    others = contacts_with_the_same_email(contact, limit=2)
    if others:
        name = visible_type(CONTACTS).name_of(others[0]._asdict())
        more = " among others" if len(others) > 1 else ""
        show_toast(
            f"Another contact has the same email{more}.",
            kind="notice",
            link_url=url_for("contacts.show", record_id=others[0].id),
            link_text=f"Open {name}",
        )


VIEWS = RecordViews(
    declared=CONTACTS,
    create=create_contact,
    change=change_contact,
    after_save=tell_of_the_same_email,
)
open_record_pages(contacts, VIEWS)


@contacts.post("/<uuid:record_id>/companies")
@access(record_permission("contact", Action.CHANGE))
def link_company(record_id: UUID) -> ResponseReturnValue:
    contact = record_for_changing(CONTACTS, record_id)
    form = CompanyForm.sent()
    company = company_to_link(form.company_name.text)
    actions.link_company(contact, company, clean_text(form.role.text[:100]) or None)
    return redirect(VIEWS.url("show", record_id=record_id), 303)


@contacts.post("/<uuid:record_id>/companies/<uuid:company_id>/removal")
@access(record_permission("contact", Action.CHANGE))
def unlink_company(record_id: UUID, company_id: UUID) -> ResponseReturnValue:
    actions.unlink_company(record_for_changing(CONTACTS, record_id), company_id)
    return redirect(VIEWS.url("show", record_id=record_id), 303)


@contacts.post("/<uuid:record_id>/companies/<uuid:company_id>/primary")
@access(record_permission("contact", Action.CHANGE))
def choose_primary_company(record_id: UUID, company_id: UUID) -> ResponseReturnValue:
    actions.choose_primary_company(record_for_changing(CONTACTS, record_id), company_id)
    return redirect(VIEWS.url("show", record_id=record_id), 303)
