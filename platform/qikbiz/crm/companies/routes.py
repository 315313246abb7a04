"""Companies, as a kind of record: what their pages have that those of other kinds have not."""

from __future__ import annotations

from flask import Blueprint

from qikbiz.crm.companies.actions import change_company, create_company
from qikbiz.crm.companies.fields import COMPANIES
from qikbiz.crm.records.urls import open_record_pages
from qikbiz.crm.records.views import RecordViews

companies = Blueprint("companies", __name__, url_prefix="/companies")
VIEWS = RecordViews(
    declared=COMPANIES,
    create=create_company,
    change=change_company,
)
open_record_pages(companies, VIEWS)
