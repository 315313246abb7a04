"""What contacts register with the records: their type, and what becomes of them when a company changes or goes."""

from __future__ import annotations

from qikbiz.crm.contacts.companies import leave_all_companies, leave_company, repeat_company_name
from qikbiz.crm.contacts.fields import CONTACTS
from qikbiz.crm.contacts.queries import panel_of_company, panel_of_contact
from qikbiz.crm.contacts.references import REFERENCES
from qikbiz.crm.schema.registry import Panel, register_on_change, register_on_purge, register_panel, register_type


def register() -> None:
    register_type(CONTACTS, REFERENCES)
    register_on_purge("contact", leave_all_companies)
    register_on_purge("company", leave_company)
    register_on_change("company", repeat_company_name)
    register_panel("contact", Panel("contacts/companies.html", panel_of_contact))
    register_panel("company", Panel("contacts/of_company.html", panel_of_company))
