"""Companies, as a kind of record: what their pages have that those of other kinds have not."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_login import current_user

from qikbiz.crm.companies.actions import change_company, create_company
from qikbiz.crm.companies.fields import COMPANIES
from qikbiz.crm.contacts.fields import CONTACTS
from qikbiz.crm.contacts.queries import contacts_of
from qikbiz.crm.records import record_pages
from qikbiz.crm.records.field_access import visible_type
from qikbiz.crm.records.urls import open_record_pages
from qikbiz.crm.records.views import RecordRoom
from qikbiz.kernel.permissions import Permission, requires

MOST_CONTACTS = 20

companies = Blueprint("companies", __name__, template_folder="templates", url_prefix="/companies")
ROOM = RecordRoom(
    declared=COMPANIES,
    create=create_company,
    change=change_company,
    icon="building",
    is_square=True,
)
open_record_pages(companies, ROOM)


@companies.get("/<uuid:record_id>")
@requires(Permission.COMPANY_SEE)
def show(record_id: UUID) -> ResponseReturnValue:
    if not current_user.can(Permission.CONTACT_SEE):
        return record_pages.show_record(ROOM, record_id)
    found = contacts_of(record_id, MOST_CONTACTS + 1)
    called = visible_type(CONTACTS).name_of
    people = [(row, called(row._asdict())) for row in found[:MOST_CONTACTS]]
    return record_pages.show_record(ROOM, record_id, contacts=people, has_more=len(found) > MOST_CONTACTS)
