"""What companies register with the records."""

from __future__ import annotations

from qikbiz.crm.companies.fields import COMPANIES
from qikbiz.crm.companies.references import REFERENCES
from qikbiz.crm.schema.registry import register_type


def register() -> None:
    register_type(COMPANIES, REFERENCES)
