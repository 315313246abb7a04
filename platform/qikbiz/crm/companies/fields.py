"""Every field of a company, once. The names are those that other CRMs' exports use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qikbiz.crm.companies.column_headings import HEADINGS
from qikbiz.crm.companies.models import SEARCHED, Company
from qikbiz.crm.schema.common_fields import OWNERSHIP, SYSTEM, address_fields, sort_name
from qikbiz.crm.schema.kinds import Choice, Currency, Domain, Email, Integer, Money, Phone, Reference, Text, Url
from qikbiz.crm.schema.record_type import RecordTypeOf, Values

TYPES = ("Prospect", "Customer", "Partner", "Reseller", "Supplier", "Investor", "Other")
INDUSTRIES = (
    "Agriculture", "Automotive", "Banking", "Chemicals", "Construction", "Consulting", "Education", "Electronics",
    "Energy", "Entertainment", "Finance", "Food and drink", "Government", "Health care", "Hospitality", "Insurance",
    "Legal", "Logistics", "Manufacturing", "Media", "Non-profit", "Pharmaceuticals", "Real estate", "Retail",
    "Services", "Software", "Sports", "Telecommunications", "Textiles", "Tourism", "Transport", "Utilities",
    "Wholesale", "Other",
)  # fmt: skip
COMPANY_FIELDS = (
    Text("name", "Name", section="Company", is_required=True, is_searchable=True, is_listable=False,
          autocomplete="organization"),
    Domain("domain", "Domain", "Company", "For example, example.com.", 253, is_searchable=True,
          is_filterable=True, in_list=True),
    Url("website", "Website", "Company", max_length=2_000, is_listable=False),
    Email("email", "Email", "Company", max_length=254, is_searchable=True, is_filterable=True),
    Phone("phone", "Phone", "Company", max_length=40, is_searchable=True, in_list=True),
    Choice("type", "Type", "About", max_length=100, choices=TYPES, is_open=True, is_filterable=True,
          in_list=True, aliases={"vendor": "Supplier", "client": "Customer"}),
    Choice("industry", "Industry", "About", max_length=100, choices=INDUSTRIES, is_open=True,
          is_filterable=True, in_list=True),
    Integer("number_of_employees", "Employees", "About"),
    Money("annual_revenue", "Annual revenue", "About"),
    Currency("annual_revenue_currency", "Revenue currency", "About", is_listable=False),
    Reference("parent_id", "Parent company", "About", is_listable=False,
          references="company"),
    *OWNERSHIP,
    *address_fields("billing_"),
    Url("linkedin_url", "LinkedIn", "Web", max_length=2_000, is_listable=False),
    Url("x_url", "X", "Web", max_length=2_000, is_listable=False),
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
    icon="building",
    introduction="A company is an organisation you do business with. Link contacts to see who works where.",
    file_hint="Organisations and their addresses.",
    is_square=True,
    headings=HEADINGS,
)
