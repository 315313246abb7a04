"""The first page after logging in."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from qikbiz.audit.page_reads import record_page
from qikbiz.crm.companies.models import Company
from qikbiz.crm.contacts.fields import CONTACTS
from qikbiz.crm.contacts.models import Contact
from qikbiz.crm.home.cards import shown_cards
from qikbiz.crm.home.queries import count_alive, recent_contacts
from qikbiz.crm.records.actions import name_of
from qikbiz.crm.records.field_access import visible_type
from qikbiz.crm.records.row_access import shown_record
from qikbiz.kernel.access import access
from qikbiz.kernel.permissions import Permission
from qikbiz.web.viewer import time_zone

home = Blueprint("home", __name__, template_folder="templates")


@home.get("/")
@access(Permission.WORKSPACE_SEE)
def index() -> ResponseReturnValue:
    known = visible_type(CONTACTS)
    recent = recent_contacts()
    if recent:
        record_page("home", CONTACTS.name, shown=len(recent))
    return render_template(
        "home/index.html",
        greeting=greeting(datetime.now(time_zone()).hour),
        contact_count=count_alive(Contact),
        company_count=count_alive(Company),
        contacts=[(name_of(known, shown_record(known, contact)), contact) for contact in recent],
        cards=shown_cards(),
    )


def greeting(hour: int) -> str:
    """What one says at this hour of the person's own day."""
    if hour < 5:
        return "Good night"
    if hour < 12:
        return "Good morning"
    return "Good afternoon" if hour < 18 else "Good evening"
