"""Searching everything at once: as a page, and as the fragment that the palette shows while somebody types."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from qikbiz.audit.page_reads import record_page
from qikbiz.crm.companies.fields import COMPANIES
from qikbiz.crm.contacts.fields import CONTACTS
from qikbiz.crm.records.field_access import visible_type
from qikbiz.crm.records.normalize import countries, show_phone
from qikbiz.crm.records.search import LONGEST_SEARCH
from qikbiz.crm.records.suggestions import best_matches
from qikbiz.kernel.permissions import Permission, requires
from qikbiz.web.fragments import render_page

records = Blueprint("records", __name__, template_folder="templates")
MOST_OF_A_KIND = 8
records.add_app_template_global(countries)
records.add_app_template_filter(show_phone, "phone")


@records.get("/search")
@requires(Permission.WORKSPACE_SEE)
def search() -> ResponseReturnValue:
    typed = request.args.get("q", "")[:LONGEST_SEARCH]
    kinds = ((CONTACTS, Permission.CONTACT_SEE), (COMPANIES, Permission.COMPANY_SEE))
    known = [visible_type(kind) for kind, permission in kinds if current_user.can(permission)]
    found = [
        (kind, [(row, kind.name_of(row._asdict())) for row in best_matches(kind, typed, MOST_OF_A_KIND)])
        for kind in known
    ]
    if typed.strip():
        record_page("search", "", shown=sum(len(rows) for _, rows in found), filters=["q"])
    return render_page("records/search.html", "palette_results", q=typed, found=found, nav_active="search")
