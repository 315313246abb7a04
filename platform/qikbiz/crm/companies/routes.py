"""Companies, as a kind of record: what their pages have that those of other kinds have not."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint
from flask.typing import ResponseReturnValue

from qikbiz.crm.companies.actions import change_company, create_company
from qikbiz.crm.companies.fields import COMPANIES
from qikbiz.crm.records import record_pages
from qikbiz.crm.records.urls import open_record_pages
from qikbiz.crm.records.views import RecordViews
from qikbiz.kernel.access import access
from qikbiz.kernel.permissions import Action, record_permission

companies = Blueprint("companies", __name__, url_prefix="/companies")
ROOM = RecordViews(
    declared=COMPANIES,
    create=create_company,
    change=change_company,
    icon="building",
    introduction="A company is an organisation you do business with. Link contacts to it to see who works where.",
)
open_record_pages(companies, ROOM)


@companies.get("/<uuid:record_id>")
@access(record_permission("company", Action.SEE))
def show(record_id: UUID) -> ResponseReturnValue:
    return record_pages.show_record(ROOM, record_id)
