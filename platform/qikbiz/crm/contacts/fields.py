"""Every field of a contact, once. The names are those that other CRMs' exports use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qikbiz.crm.contacts.column_headings import HEADINGS
from qikbiz.crm.contacts.models import SEARCHED, Contact
from qikbiz.crm.schema.common_fields import OWNERSHIP, SYSTEM, address_fields, joined_list, sort_name
from qikbiz.crm.schema.kinds import Boolean, Choice, Date, Email, Emails, Phone, Phones, Reference, Text, Url
from qikbiz.crm.schema.record_type import LinkTable, RecordTypeOf, Values

STAGES = (
    "Subscriber",
    "Lead",
    "Marketing qualified lead",
    "Sales qualified lead",
    "Opportunity",
    "Customer",
    "Evangelist",
    "Other",
)
LAWFUL_BASES = (
    "Consent",
    "Contract",
    "Legal obligation",
    "Vital interests",
    "Public task",
    "Legitimate interest",
)
HUBSPOT_BASES = {
    "freely given consent from contact": "Consent",
    "consent given": "Consent",
    "legitimate interest prospect lead": "Legitimate interest",
    "legitimate interest existing customer": "Legitimate interest",
    "legitimate interest other": "Legitimate interest",
    "legitimate interests": "Legitimate interest",
    "performance of a contract": "Contract",
    "public interest": "Public task",
}
SALUTATIONS = ("Mr", "Ms", "Mrs", "Mx", "Dr", "Prof")
NAMES = (
    Choice("salutation", "Salutation", "Name", max_length=40, choices=SALUTATIONS, is_open=True),
    Text("first_name", "First name", section="Name", max_length=100, is_searchable=True),
    Text("middle_name", "Middle name", section="Name", max_length=100, is_searchable=True, is_listable=False),
    Text("last_name", "Last name", section="Name", max_length=100, is_searchable=True),
)
WAYS_TO_REACH = (
    Email("email", "Email", max_length=254, is_editable=False, is_searchable=True, is_filterable=True,
          is_sortable=True, in_list=True, columns=("email", "emails", "other_emails")),
    Emails("emails", "Emails", "Email and phone", is_listable=False,
          columns=("email", "emails", "other_emails")),
    Phone("phone", "Phone", max_length=40, is_editable=False, is_searchable=True, is_filterable=True,
          in_list=True, columns=("phone", "phones")),
    Phones("phones", "Phones", "Email and phone", is_listable=False, columns=("phone", "phones")),
)  # fmt: skip
WORK = (
    Reference("company_name", "Company", "Work", is_searchable=True, is_filterable=True, in_list=True,
          columns=("company_name", "company_id"), references="company"),
    Text("job_title", "Job title", section="Work", is_key=True),
    Text("department", "Department", section="Work"),
    Reference("reports_to_id", "Reports to", "Work", is_listable=False, references="contact", is_matched_by_id=True),
)  # fmt: skip
RELATION = (
    Choice(
        "lifecycle_stage",
        "Stage",
        "Sales details",
        choices=STAGES,
        is_filterable=True,
        in_list=True,
        aliases={"mql": "Marketing qualified lead", "sql": "Sales qualified lead", "client": "Customer"},
    ),
    *OWNERSHIP,
    Date("birthdate", "Birthday", "Personal"),
)
WEB = (
    Url("website", "Website", "Web", max_length=2_000, is_listable=False),
    Url("linkedin_url", "LinkedIn", "Web", max_length=2_000, is_listable=False),
    Url("x_url", "X", "Web", max_length=2_000, is_listable=False),
)
CONSENT = (
    Boolean("do_not_call", "Do not call", "Consent", is_filterable=True),
    Boolean("email_opt_out", "Email opt-out", "Consent", is_filterable=True),
    Choice("lawful_basis", "Lawful basis", "Consent", choices=LAWFUL_BASES, is_filterable=True, aliases=HUBSPOT_BASES,
          help="Your legal basis for keeping this person's data."),
    Text("lawful_basis_source", "Source of legal basis", section="Consent", max_length=500, is_listable=False),
    Date("consent_reviewed_on", "Last reviewed", "Consent"),
)  # fmt: skip


def contact_columns(given: Mapping[str, Any], before: Mapping[str, Any]) -> Values:
    emails = joined_list("email", "emails", "address", given, before)
    phones = joined_list("phone", "phones", "number", given, before)
    whole = {**before, **given}
    email = emails[0]["address"] if emails else None
    phone = phones[0]["number"] if phones else None
    return {
        "emails": emails,
        "email": email,
        "other_emails": [entry["address"] for entry in emails[1:]],
        "phones": phones,
        "phone": phone,
        "sort_name": sort_name(_last_then_first(whole), email, phone, whole.get("company_name")),
    }


def quick_sort_name(record: Mapping[str, Any]) -> str:
    """As `contact_columns` gives it of single addresses; a test compares the two."""
    first, last = record.get("first_name"), record.get("last_name")
    named = f"{last}, {first}" if last and first else last or first
    return sort_name(named, record.get("email"), record.get("phone"), record.get("company_name"))


def display_name(record: Mapping[str, Any]) -> str:
    """What a contact is called on every page: the name, or else how it can be reached."""
    named = " ".join(filter(None, (record["first_name"], record["middle_name"], record["last_name"])))
    return named or record["email"] or record["phone"] or record["company_name"] or "No name"


def _last_then_first(record: Mapping[str, Any]) -> str:
    return ", ".join(filter(None, (record.get("last_name"), record.get("first_name"))))


CONTACTS = RecordTypeOf(
    name="contact",
    plural="contacts",
    label="Contact",
    plural_label="Contacts",
    model=Contact,
    fields=(*NAMES, *WAYS_TO_REACH, *WORK, *RELATION, *address_fields(), *WEB, *CONSENT, *SYSTEM),
    derive=contact_columns,
    name_of=display_name,
    name_columns=("first_name", "middle_name", "last_name", "email", "phone", "company_name"),
    needs_one_of=("first_name", "last_name", "email", "phone"),
    key_fields=("email", "external_id", "id", "name_company"),
    searched=SEARCHED,
    names=("first_name", "last_name"),
    hints=("company_name", "email"),
    icon="users",
    introduction="A contact is a person you know. Import them from a file, or add the first one yourself.",
    file_hint="People, with the companies they work for.",
    subtitle=lambda record: " at ".join(filter(None, (record.job_title, record.company_name))),
    is_person=True,
    headings=HEADINGS,
    address_lists={"email": "emails", "phone": "phones"},
    quick_sort_name=quick_sort_name,
    link_table=LinkTable("contact_companies", "contact_id", "company_id", "company"),
)
