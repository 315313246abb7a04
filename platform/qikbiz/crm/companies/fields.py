"""Every field of a company, once. The names are those that other CRMs' exports use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qikbiz.crm.companies.column_headings import HEADINGS
from qikbiz.crm.companies.models import SEARCHED, Company
from qikbiz.crm.records.common_fields import OWNERSHIP, SYSTEM, address_fields, sort_name
from qikbiz.crm.records.fields import Field, FieldKind, RecordTypeOf, Values

TYPES = ("Prospect", "Customer", "Partner", "Reseller", "Supplier", "Investor", "Other")
INDUSTRIES = (
    "Agriculture", "Automotive", "Banking", "Chemicals", "Construction", "Consulting", "Education", "Electronics",
    "Energy", "Entertainment", "Finance", "Food and drink", "Government", "Health care", "Hospitality", "Insurance",
    "Legal", "Logistics", "Manufacturing", "Media", "Non-profit", "Pharmaceuticals", "Real estate", "Retail",
    "Services", "Software", "Sports", "Telecommunications", "Textiles", "Tourism", "Transport", "Utilities",
    "Wholesale", "Other",
)  # fmt: skip
COMPANY_FIELDS = (
    Field("name", "Name", section="Company", is_required=True, is_searchable=True, is_listable=False,
          autocomplete="organization"),
    Field("domain", "Domain", FieldKind.DOMAIN, "Company", "For example, example.com.", 253, is_searchable=True,
          is_filterable=True, in_list=True),
    Field("website", "Website", FieldKind.URL, "Company", max_length=2_000, is_listable=False),
    Field("email", "Email", FieldKind.EMAIL, "Company", max_length=254, is_searchable=True, is_filterable=True),
    Field("phone", "Phone", FieldKind.PHONE, "Company", max_length=40, is_searchable=True, in_list=True),
    Field("type", "Type", FieldKind.CHOICE, "About", max_length=100, choices=TYPES, is_open=True, is_filterable=True,
          in_list=True),
    Field("industry", "Industry", FieldKind.CHOICE, "About", max_length=100, choices=INDUSTRIES, is_open=True,
          is_filterable=True, in_list=True),
    Field("number_of_employees", "Employees", FieldKind.INTEGER, "About"),
    Field("annual_revenue", "Annual revenue", FieldKind.MONEY, "About"),
    Field("annual_revenue_currency", "Revenue currency", FieldKind.CURRENCY, "About", is_listable=False),
    Field("parent_id", "Parent company", FieldKind.COMPANY, "About", is_listable=False,
          references="company"),
    *OWNERSHIP,
    *address_fields("billing_"),
    Field("linkedin_url", "LinkedIn", FieldKind.URL, "Web", max_length=2_000, is_listable=False),
    Field("x_url", "X", FieldKind.URL, "Web", max_length=2_000, is_listable=False),
    *SYSTEM,
)  # fmt: skip


def company_columns(given: Mapping[str, Any], before: Mapping[str, Any]) -> Values:
    return {"sort_name": sort_name({**before, **given}.get("name"))}


def display_name(record: Mapping[str, Any]) -> str:
    return record["name"] or "No name"


COMPANIES = RecordTypeOf(
    name="company",
    plural="companies",
    label="Company",
    plural_label="Companies",
    model=Company,
    fields=COMPANY_FIELDS,
    derive=company_columns,
    name_of=display_name,
    name_columns=("name",),
    needs_one_of=("name",),
    key_fields=("domain", "external_id", "id", "name"),
    searched=SEARCHED,
    names=("name",),
    hints=("domain", "billing_city"),
    is_square=True,
    headings=HEADINGS,
)
