"""What the columns of other programs' exports are called, and which field of ours each one means.

Google Contacts (both of its layouts), Outlook, HubSpot, Salesforce, Pipedrive, and our own exports. A heading is
compared without case, accents, spaces and punctuation. `Target` names a field and, for addresses, a label.
"""

from __future__ import annotations

import re
from functools import cache

from qikbiz.records.fields import RecordType
from qikbiz.records.values import fold

Target = tuple[str, str]
_NO_WORD = re.compile(r"[^a-z0-9]+")

CONTACTS: dict[str, tuple[str, ...]] = {
    "salutation": ("salutation", "title", "name prefix", "prefix", "anrede", "civility"),
    "first_name": ("first name", "firstname", "given name", "forename", "vorname", "prenom", "contact first name"),
    "middle_name": ("middle name", "additional name", "second name"),
    "last_name": ("last name", "lastname", "family name", "surname", "nachname", "nom", "contact last name"),
    "full_name": ("name", "full name", "display name", "contact name", "person name", "contact", "person"),
    "job_title": ("job title", "jobtitle", "organization title", "position", "role", "organization 1 title"),
    "department": ("department", "organization department", "organization 1 department", "abteilung"),
    "company_name": (
        "company", "company name", "organization", "organization name", "organization 1 name", "account name",
        "account", "associated company", "primary associated company", "firma", "employer", "person organization",
        "organisation", "organisation name",
    ),
    "lead_source": ("lead source", "source", "original source", "original traffic source", "herkunft"),
    "lifecycle_stage": ("lifecycle stage", "lifecyclestage", "stage"),
    "owner_id": (
        "owner", "contact owner email", "owner email", "owner id", "besitzer",
    ),
    "tags": ("tags", "labels", "label", "group membership", "categories", "category", "person labels", "person label"),
    "street": (
        "street", "street address", "address", "mailing street", "business street", "address 1 street",
        "address street", "home street", "strasse", "postal address",
    ),
    "street2": (
        "street 2", "street2", "address 2", "address line 2", "business street 2",
        "address 1 extended address", "home street 2",
    ),
    "city": (
        "city", "town", "mailing city", "business city", "address 1 city", "home city", "stadt", "ort",
        "address city",
    ),
    "state": (
        "state", "state region", "region", "province", "mailing state", "mailing state province", "business state",
        "address 1 region", "home state", "mailing state code", "bundesland",
    ),
    "postal_code": (
        "postal code", "postcode", "zip", "zip code", "plz", "mailing zip", "mailing zip postal code",
        "business postal code", "address 1 postal code", "home postal code", "zip postal code", "mailing postal code",
    ),
    "country": (
        "country", "country region", "mailing country", "business country region", "business country",
        "address 1 country", "home country region", "home country", "land", "mailing country code",
    ),
    "website": (
        "website", "website url", "web page", "web site", "website 1 value", "homepage", "url",
        "personal web page",
    ),
    "linkedin_url": ("linkedin", "linkedin url", "linkedin profile", "linkedin bio", "hs linkedin url"),
    "x_url": ("x", "x url", "twitter", "twitter url"),
    "birthdate": ("birthdate", "birthday", "date of birth", "geburtstag"),
    "do_not_call": ("do not call",),
    "email_opt_out": (
        "email opt out", "unsubscribed from all email", "opted out of email", "has opted out of email",
        "marketing status unsubscribed",
    ),
    "lawful_basis": ("lawful basis", "legal basis", "legal basis for processing contact s data"),
    "lawful_basis_source": ("lawful basis source", "where the basis is written"),
    "consent_reviewed_on": ("consent reviewed on", "last reviewed"),
    "description": ("description", "notes", "note", "comments", "notizen", "contact description", "about"),
    "external_id": (
        "external id", "contact id", "contact id 18", "person id", "customer number", "customer id",
        "kundennummer",
    ),
}  # fmt: skip
COMPANIES: dict[str, tuple[str, ...]] = {
    "name": (
        "name", "company name", "company", "account name", "organization", "organization name", "organisation",
        "organisation name", "firma", "account",
    ),
    "domain": ("domain", "company domain name", "company domain", "website domain"),
    "website": ("website", "website url", "web page", "web site", "homepage", "url"),
    "email": ("email", "e mail", "email address", "company email"),
    "phone": ("phone", "phone number", "account phone", "main phone", "company main phone", "telephone", "telefon"),
    "type": ("type", "account type", "company type"),
    "industry": ("industry", "branche"),
    "number_of_employees": ("employees", "number of employees", "no of employees", "employee count", "company size"),
    "annual_revenue": ("annual revenue", "revenue", "umsatz"),
    "annual_revenue_currency": ("annual revenue currency", "currency", "account currency", "currency of revenue"),
    "parent_id": ("parent account", "parent company", "parent", "parent id", "part of"),
    "owner_id": ("owner", "owner email", "owner id"),
    "lead_source": ("lead source", "account source", "source", "original source"),
    "tags": ("tags", "labels", "label", "categories", "organization labels"),
    "billing_street": (
        "billing street", "street", "street address", "address", "organization address", "business street",
    ),
    "billing_street2": ("billing street 2", "street 2", "street address 2", "address line 2", "billing street2"),
    "billing_city": ("billing city", "city", "town", "business city", "stadt", "ort"),
    "billing_state": ("billing state", "billing state province", "state", "state region", "region", "province"),
    "billing_postal_code": (
        "billing postal code", "billing zip postal code", "billing zip", "postal code", "zip", "postcode",
        "plz",
    ),
    "billing_country": ("billing country", "country", "country region", "business country region", "land"),
    "linkedin_url": ("linkedin", "linkedin url", "linkedin company page"),
    "x_url": ("x", "x url", "twitter", "twitter handle"),
    "description": ("description", "notes", "note", "about us", "about", "account description"),
    "external_id": (
        "external id", "account id", "account id 18", "company id", "organization id", "customer number",
        "kundennummer",
    ),
}  # fmt: skip
# Addresses that come in several columns: each keeps its label.
_EMAIL_LABELS = {
    "": "", "work": "work", "business": "work", "home": "home", "private": "home", "personal": "home", "other": "other",
    "secondary": "other", "additional": "other", "alternate": "other",
}  # fmt: skip
_PHONE_LABELS = {
    "": "", "work": "work", "business": "work", "office": "work", "company": "work", "direct": "work",
    "mobile": "mobile", "mobil": "mobile", "cell": "mobile", "cellular": "mobile", "handy": "mobile",
    "whatsapp": "mobile", "home": "home", "private": "home", "other": "other", "car": "other",
    "primary": "", "main": "",
}  # fmt: skip
_EMAIL_COLUMN = re.compile(
    r"^(?:(?:contact|person) )?(?:(\w+) )?e ?mail(?: (?:address|adresse))?(?: (\d))?(?: (?:address|value))?"
    r"(?: (work|home|other))?$"
)
_PHONE_COLUMN = re.compile(
    r"^(?:(?:contact|person) )?(?:(\w+) )?(?:tele)?(?:phone|telefon|fon)(?: number| nummer)?(?: (\d))?"
    r"(?: (?:value|number))?(?: (work|home|mobile|other))?$"
)
_BARE_PHONES = {
    "mobile": "mobile",
    "mobile number": "mobile",
    "cell": "mobile",
    "handy": "mobile",
    "phone work": "work",
}
_LABEL_COLUMN = re.compile(r"^(?:e ?mail|phone) \d (?:label|type)$")


def plain_heading(heading: str) -> str:
    """The heading as it is compared: small letters and digits. `E-mail 1 - Value` is `e mail 1 value`."""
    return _NO_WORD.sub(" ", fold(heading)).strip()


def meaning(record_type: RecordType, heading: str) -> Target | None:
    """The field that a heading means, with the label of an address; None when it is not known."""
    plain = plain_heading(heading)
    known = _known(record_type)
    if plain in known:
        return known[plain], ""
    return _address_column(plain) if record_type.name == "contact" else None


def is_label_column(heading: str) -> bool:
    """Whether the column names the label of the address beside it, as Google's `Phone 1 - Label` does."""
    return bool(_LABEL_COLUMN.match(plain_heading(heading)))


@cache
def _known(record_type: RecordType) -> dict[str, str]:
    names = {
        plain_heading(text): field.name for field in record_type.importable() for text in (field.name, field.label)
    }
    listed = CONTACTS if record_type.name == "contact" else COMPANIES
    # Our own names last: they win over what another program may mean by the same word.
    return {heading: field for field, headings in listed.items() for heading in headings} | names


def _address_column(plain: str) -> Target | None:
    if plain in _BARE_PHONES:
        return "phones", _BARE_PHONES[plain]
    email, phone = _EMAIL_COLUMN.match(plain), _PHONE_COLUMN.match(plain)
    if email and (email[1] or "") in _EMAIL_LABELS:
        return "emails", _EMAIL_LABELS[email[1] or email[3] or ""]
    if phone and (phone[1] or "") in _PHONE_LABELS:
        return "phones", _PHONE_LABELS[phone[1] or phone[3] or ""]
    return None
