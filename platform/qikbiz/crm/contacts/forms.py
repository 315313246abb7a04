"""What a contact's page sends beside the form of the record."""

from __future__ import annotations

from qikbiz.web.forms import OwnForm, Text


class CompanyForm(OwnForm):
    """A company to link, by its name, and the contact's role there."""

    company_name = Text("Company")
    role = Text("Role")
