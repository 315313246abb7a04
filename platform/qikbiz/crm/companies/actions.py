"""Changing companies."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit
from uuid import UUID

from qikbiz.audit.actions import Changes
from qikbiz.crm.companies.fields import COMPANIES
from qikbiz.crm.companies.models import Company
from qikbiz.crm.records.actions import change_record, create_record
from tenants.context import current_tenant


def create_company(values: Mapping[str, object], record_id: UUID | None = None) -> Company:
    """A new company; without a domain it gets that of its website. Raises FieldProblem."""
    completed = dict(values)
    website = completed.get("website")
    if isinstance(website, str) and website and not completed.get("domain"):
        completed["domain"] = (urlsplit(website).hostname or "").removeprefix("www.") or None
    return create_record(COMPANIES, _with_currency(completed), record_id=record_id)


def change_company(company: Company, values: Mapping[str, object]) -> Changes:
    """Write `values` over a locked company; gives what changed. Raises FieldProblem."""
    return change_record(COMPANIES, company, _with_currency(values, company))


def _with_currency(values: Mapping[str, object], company: Company | None = None) -> Mapping[str, object]:
    """A revenue that is entered without a currency is in that of the organisation."""
    kept = company.annual_revenue_currency if company else None
    if values.get("annual_revenue") is None or values.get("annual_revenue_currency", kept):
        return values
    return {**values, "annual_revenue_currency": current_tenant().currency or None}
