"""What the columns of other programs' exports are called, by the field of a contact that each one means.

Google Contacts (both of its layouts), Outlook in English, German and French, Thunderbird, HubSpot, Salesforce (its
reports and its Data Loader), Pipedrive, LinkedIn, and our own exports. In small letters and digits, as an import
compares them (`transfer/imports/column_synonyms.py`).
"""

from __future__ import annotations

HEADINGS: dict[str, tuple[str, ...]] = {
    "salutation": ("salutation", "title", "name prefix", "prefix", "anrede", "civility", "titre", "namenspraefix"),
    "first_name": (
        "first name", "firstname", "given name", "forename", "vorname", "prenom", "contact first name",
        "prenom du contact", "rufname",
    ),
    "middle_name": (
        "middle name", "additional name", "second name", "weitere vornamen", "deuxieme prenom", "middlename",
    ),
    "last_name": (
        "last name", "lastname", "family name", "surname", "nachname", "nom", "contact last name", "familienname",
        "nom de famille", "contact surname",
    ),
    "full_name": (
        "name", "full name", "display name", "contact name", "person name", "contact", "person", "vollstandiger name",
        "nom complet", "nom affiche", "anzeigename", "ansprechpartner",
    ),
    "job_title": (
        "job title", "jobtitle", "organization title", "position", "role", "organization 1 title", "fonction",
        "titre du poste", "beruf", "jobtitel", "intitule du poste",
    ),
    "department": (
        "department", "organization department", "organization 1 department", "abteilung", "abteilung buro",
        "departement",
    ),
    "company_name": (
        "company", "company name", "organization", "organization name", "organization 1 name", "account name",
        "account", "associated company", "primary associated company", "firma", "employer", "person organization",
        "organisation", "organisation name", "societe", "entreprise", "unternehmen",
    ),
    "lead_source": (
        "lead source", "source", "original source", "original traffic source", "herkunft", "quelle", "origine",
        "leadquelle",
    ),
    "lifecycle_stage": ("lifecycle stage", "lifecyclestage", "stage", "lifecycle phase"),
    "owner_id": (
        "owner", "contact owner email", "owner email", "owner id", "besitzer", "contact owner", "owner name",
        "record owner", "account owner", "kontaktbesitzer", "kontaktinhaber", "zustandig", "betreuer", "assigned to",
        "assigned user", "proprietaire", "proprietaire du contact", "company owner",
    ),
    "tags": (
        "tags", "labels", "label", "group membership", "categories", "category", "person labels", "person label",
        "kategorien", "categorie", "etiketten", "etiquettes", "gruppen", "groups", "tag",
    ),
    "street": (
        "street", "street address", "address", "mailing street", "business street", "address 1 street",
        "address street", "home street", "strasse", "postal address", "strasse geschaftlich", "strasse geschaeftlich",
        "strasse privat", "strasse hausnummer", "rue", "rue bureau", "rue domicile", "adresse", "work address",
        "home address", "anschrift", "street line 1", "address line 1", "address1", "mailing address line 1",
        "postal street",
    ),
    "street2": (
        "street 2", "street2", "address 2", "address line 2", "business street 2", "address 1 extended address",
        "home street 2", "strasse geschaftlich 2", "rue bureau 2", "work address 2", "home address 2", "address2",
        "adresszusatz", "complement d adresse",
    ),
    "city": (
        "city", "town", "mailing city", "business city", "address 1 city", "home city", "stadt", "ort", "address city",
        "ort geschaftlich", "ort privat", "ville", "ville bureau", "ville domicile", "work city", "locality", "wohnort",
        "home town",
    ),
    "state": (
        "state", "state region", "region", "province", "mailing state", "mailing state province", "business state",
        "address 1 region", "home state", "mailing state code", "bundesland", "region geschaftlich", "region privat",
        "bundesland kanton geschaftlich", "bundesland kanton privat", "bundesland kanton", "dep region bureau",
        "dep region domicile", "work state", "work region", "county",
    ),
    "postal_code": (
        "postal code", "postcode", "zip", "zip code", "plz", "mailing zip", "mailing zip postal code",
        "business postal code", "address 1 postal code", "home postal code", "zip postal code", "mailing postal code",
        "postleitzahl", "postleitzahl geschaftlich", "postleitzahl privat", "code postal", "code postal bureau",
        "code postal domicile", "work zipcode", "home zipcode", "work zip code", "zipcode", "work postal code",
    ),
    "country": (
        "country", "country region", "mailing country", "business country region", "business country",
        "address 1 country", "home country region", "home country", "land", "mailing country code",
        "land region geschaftlich", "land region privat", "land region", "pays", "pays region", "pays region bureau",
        "pays region domicile", "work country", "country name", "land geschaftlich",
    ),
    "website": (
        "website", "website url", "web page", "web site", "website 1 value", "homepage", "url", "personal web page",
        "web page 1", "webseite", "page web", "site web", "work web page", "homepage url", "internetseite",
    ),
    "linkedin_url": (
        "linkedin", "linkedin url", "linkedin profile", "linkedin bio", "hs linkedin url", "linkedin profile url",
        "person linkedin url",
    ),
    "x_url": ("x", "x url", "twitter", "twitter url"),
    "birthdate": (
        "birthdate", "birthday", "date of birth", "geburtstag", "anniversaire", "date de naissance", "geburtsdatum",
        "birth date", "birth day",
    ),
    "do_not_call": (
        "do not call", "dont call", "no calls", "nicht anrufen", "ne pas appeler", "do not contact by phone",
        "no phone calls", "donotphone", "keine anrufe",
    ),
    "email_opt_out": (
        "email opt out", "unsubscribed from all email", "opted out of email", "has opted out of email",
        "marketing status unsubscribed", "hasoptedoutofemail", "opt out", "email optout", "unsubscribed",
        "opted out email", "opted out", "do not email", "no email", "e mail opt out", "newsletter opt out",
        "abgemeldet", "keine e mails", "desinscrit", "ne pas envoyer d e mails", "unsubscribed from all emails",
        "do not allow bulk emails", "donotemail",
    ),
    "lawful_basis": ("lawful basis", "legal basis", "legal basis for processing contact s data"),
    "lawful_basis_source": ("lawful basis source", "where the basis is written"),
    "consent_reviewed_on": ("consent reviewed on", "last reviewed"),
    "description": (
        "description", "notes", "note", "comments", "notizen", "contact description", "about", "notizen geschaftlich",
        "commentaires", "remarques", "bemerkungen", "bemerkung", "contact notes", "kommentar",
    ),
    "external_id": (
        "external id", "contact id", "contact id 18", "person id", "customer number", "customer id", "kundennummer",
        "id", "uuid", "guid",
    ),
}  # fmt: skip
