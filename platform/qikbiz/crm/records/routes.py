"""Searching everything at once: as a page, and as the fragment that the palette shows while somebody types."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from qikbiz.audit.page_reads import record_page
from qikbiz.crm.records.field_access import visible_type
from qikbiz.crm.records.search_condition import LONGEST_SEARCH
from qikbiz.crm.records.suggestions import best_matches, hint_of
from qikbiz.crm.records.urls import suggestions_url
from qikbiz.crm.schema.registry import RECORD_TYPES
from qikbiz.kernel.access import access
from qikbiz.kernel.permissions import Action, Permission, record_permission
from qikbiz.web.fragments import render_page

records = Blueprint("records", __name__, template_folder="templates")
MOST_OF_A_KIND = 8
records.add_app_template_global(suggestions_url)


@records.get("/search")
@access(Permission.WORKSPACE_SEE)
def search() -> ResponseReturnValue:
    typed = request.args.get("q", "")[:LONGEST_SEARCH]
    kinds = [kind for kind in RECORD_TYPES.values() if current_user.can(record_permission(kind.name, Action.SEE))]
    known = [visible_type(kind) for kind in kinds]
    found = [
        (
            kind,
            [
                (row, kind.name_of(row._asdict()), hint_of(kind, row))
                for row in best_matches(kind, typed, MOST_OF_A_KIND)
            ],
        )
        for kind in known
    ]
    if typed.strip():
        record_page("search", "", shown=sum(len(rows) for _, rows in found), filters=["q"])
    return render_page("records/search.html", "palette_results", q=typed, found=found, nav_active="search")
