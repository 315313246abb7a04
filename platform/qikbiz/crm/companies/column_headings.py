"""What the columns of other programs' exports are called, by the field of a company that each one means.

Google Contacts (both of its layouts), Outlook in English, German and French, Thunderbird, HubSpot, Salesforce (its
reports and its Data Loader), Pipedrive, LinkedIn, and our own exports. In small letters and digits, as an import
compares them (`transfer/imports/column_synonyms.py`).
"""

from __future__ import annotations

HEADINGS: dict[str, tuple[str, ...]] = {
    "name": (
        "name", "company name", "company", "account name", "organization", "organization name", "organisation",
        "organisation name", "firma", "account", "unternehmen", "societe", "entreprise", "business name",
    ),
    "domain": (
        "domain", "company domain name", "company domain", "website domain", "domaine", "website domain name",
        "primary domain",
    ),
    "website": (
        "website", "website url", "web page", "web site", "homepage", "url", "webseite", "site web", "internetseite",
        "web",
    ),
    "email": (
        "email", "e mail", "email address", "company email", "e mail adresse", "e mail address", "main email",
        "primary email",
    ),
    "phone": (
        "phone", "phone number", "account phone", "main phone", "company main phone", "telephone", "telefon",
        "telefonnummer", "company phone", "phone 1", "billing phone", "telephone principal",
    ),
    "type": ("type", "account type", "company type"),
    "industry": ("industry", "branche"),
    "number_of_employees": ("employees", "number of employees", "no of employees", "employee count", "company size"),
    "annual_revenue": ("annual revenue", "revenue", "umsatz"),
    "annual_revenue_currency": ("annual revenue currency", "currency", "account currency", "currency of revenue"),
    "parent_id": ("parent account", "parent company", "parent", "parent id", "part of"),
    "owner_id": (
        "owner", "owner email", "owner id", "company owner", "account owner", "owner name", "record owner",
        "contact owner", "kontoinhaber", "assigned to", "proprietaire",
    ),
    "lead_source": ("lead source", "account source", "source", "original source"),
    "tags": ("tags", "labels", "label", "categories", "organization labels"),
    "billing_street": (
        "billing street", "street", "street address", "address", "organization address", "business street", "strasse",
        "billing address", "rue", "address line 1", "address1",
    ),
    "billing_street2": ("billing street 2", "street 2", "street address 2", "address line 2", "billing street2"),
    "billing_city": ("billing city", "city", "town", "business city", "stadt", "ort", "ville", "company city"),
    "billing_state": (
        "billing state", "billing state province", "state", "state region", "region", "province", "bundesland",
        "billing region",
    ),
    "billing_postal_code": (
        "billing postal code", "billing zip postal code", "billing zip", "postal code", "zip", "postcode", "plz",
        "postleitzahl", "code postal", "billing postalcode", "zipcode",
    ),
    "billing_country": (
        "billing country", "country", "country region", "business country region", "land", "pays",
        "billing country region", "company country",
    ),
    "linkedin_url": (
        "linkedin", "linkedin url", "linkedin company page", "linkedin company url", "company linkedin url",
        "linkedin profile",
    ),
    "x_url": ("x", "x url", "twitter", "twitter handle"),
    "description": (
        "description", "notes", "note", "about us", "about", "account description", "notizen", "commentaires",
        "bemerkungen", "remarques",
    ),
    "external_id": (
        "external id", "account id", "account id 18", "company id", "organization id", "customer number",
        "kundennummer", "id", "account guid",
    ),
}  # fmt: skip
