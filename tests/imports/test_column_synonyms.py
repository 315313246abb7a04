"""The exports of other programs are understood as they are."""

from __future__ import annotations

import pytest

from qikbiz.crm.schema.registry import RECORD_TYPES
from qikbiz.transfer.imports.column_synonyms import plain_heading
from qikbiz.transfer.imports.mapping import Mapping, UnusableMapping, checked_mapping, guess

CONTACTS, COMPANIES = RECORD_TYPES["contacts"], RECORD_TYPES["companies"]
GOOGLE = (
    "Name Prefix,First Name,Middle Name,Last Name,Name Suffix,Nickname,File As,Organization Name,Organization Title,"
    "Organization Department,Birthday,Notes,Photo,Labels,E-mail 1 - Label,E-mail 1 - Value,E-mail 2 - Label,"
    "E-mail 2 - Value,Phone 1 - Label,Phone 1 - Value,Address 1 - Label,Address 1 - Street,Address 1 - City,"
    "Address 1 - Region,Address 1 - Postal Code,Address 1 - Country,Website 1 - Value"
)
GOOGLE_BEFORE_2024 = (
    "Name,Given Name,Additional Name,Family Name,Yomi Name,Birthday,Notes,Group Membership,E-mail 1 - Type,"
    "E-mail 1 - Value,Phone 1 - Type,Phone 1 - Value,Organization 1 - Name,Organization 1 - Title"
)
OUTLOOK = (
    "Title,First Name,Middle Name,Last Name,Suffix,Company,Department,Job Title,Business Street,Business City,"
    "Business State,Business Postal Code,Business Country/Region,Business Fax,Business Phone,Home Phone,Mobile Phone,"
    "Birthday,Categories,E-mail Address,E-mail Type,E-mail Display Name,E-mail 2 Address,Notes,Web Page"
)
HUBSPOT = (
    "Record ID,First Name,Last Name,Email,Phone Number,Mobile Phone Number,Contact owner,Lead Status,Company Name,"
    "Job Title,Lifecycle Stage,Street Address,City,State/Region,Postal Code,Country/Region,Website URL,Create Date"
)
SALESFORCE = (
    "Contact ID,Salutation,First Name,Last Name,Title,Account Name,Mailing Street,Mailing City,Mailing State/Province,"
    "Mailing Zip/Postal Code,Mailing Country,Phone,Fax,Mobile,Email,Contact Owner,Department,Birthdate,Lead Source,"
    "Description,Do Not Call,Email Opt Out"
)
PIPEDRIVE = (
    "ID,Name,First name,Last name,Organization,Phone - Work,Phone - Mobile,Email - Work,Email - Home,Label,Owner,"
    "Open deals,Person created"
)


def guessed(header: str, sample: str = "") -> dict[str, str]:
    columns = header.split(",")
    found = guess(CONTACTS, columns, [[sample] * len(columns)] if sample else [])
    return {columns[one.place]: f"{one.field}:{one.label}" if one.label else one.field for one in found.columns}


def test_google_contacts() -> None:
    found = guessed(GOOGLE)
    assert found["E-mail 2 - Value"] == "emails"
    assert found["Organization Title"] == "job_title"
    assert found["Address 1 - Region"] == "state"
    assert found["Labels"] == "tags"
    assert not found.keys() & {"E-mail 1 - Label", "Name Suffix", "Photo", "File As"}
    columns = GOOGLE.split(",")
    beside = {columns[one.place]: one.label_place for one in guess(CONTACTS, columns).columns}
    assert columns[beside["Phone 1 - Value"] or 0] == "Phone 1 - Label"


def test_google_contacts_before_2024_leaves_the_doubled_name_out() -> None:
    found = guessed(GOOGLE_BEFORE_2024)
    assert (found["Given Name"], found["Family Name"], "Name" in found) == ("first_name", "last_name", False)
    assert (found["Organization 1 - Name"], found["Group Membership"]) == ("company_name", "tags")


def test_outlook() -> None:
    found = guessed(OUTLOOK)
    assert (found["Title"], found["Job Title"]) == ("salutation", "job_title")
    assert (found["E-mail Address"], found["E-mail 2 Address"]) == ("emails", "emails")
    assert (found["Business Phone"], found["Home Phone"], found["Mobile Phone"]) == (
        "phones:work",
        "phones:home",
        "phones:mobile",
    )
    assert found["Business Country/Region"] == "country"
    assert not found.keys() & {"E-mail Type", "E-mail Display Name", "Business Fax"}


def test_hubspot() -> None:
    found = guessed(HUBSPOT, "101")
    assert (found["Record ID"], found["Lifecycle Stage"], found["State/Region"]) == (
        "external_id",
        "lifecycle_stage",
        "state",
    )
    assert found["Mobile Phone Number"] == "phones:mobile"
    assert found["Contact owner"] == "owner_id"


def test_salesforce() -> None:
    found = guessed(SALESFORCE, "0035g00000XyZ")
    assert (found["Title"], found["Account Name"], found["Contact ID"]) == ("job_title", "company_name", "external_id")
    assert (found["Mailing Zip/Postal Code"], found["Email Opt Out"], found["Mobile"]) == (
        "postal_code",
        "email_opt_out",
        "phones:mobile",
    )
    assert "Fax" not in found


def test_pipedrive() -> None:
    found = guessed(PIPEDRIVE, "12")
    assert (found["ID"], found["Organization"], found["Label"]) == ("external_id", "company_name", "tags")
    assert (found["Email - Work"], found["Email - Home"], found["Phone - Mobile"]) == (
        "emails:work",
        "emails:home",
        "phones:mobile",
    )
    assert found["Owner"] == "owner_id"
    assert not found.keys() & {"Name", "Open deals"}


def test_our_own_names_and_labels_of_every_importable_field_are_known() -> None:
    for record_type in (CONTACTS, COMPANIES):
        for field in record_type.importable():
            for heading in (field.name, field.label):
                columns = guess(record_type, [heading]).columns
                assert columns and columns[0].field.removesuffix("s") == field.name.removesuffix("s"), heading


def test_companies_of_other_programs() -> None:
    header = (
        "Account ID,Account Name,Website,Phone,Industry,Employees,Annual Revenue,Billing Street,Billing "
        "City,Billing Country"
    )
    found = {one.field for one in guess(COMPANIES, header.split(","), [["001"] * 10]).columns}
    assert found >= {
        "external_id",
        "name",
        "website",
        "phone",
        "industry",
        "number_of_employees",
        "annual_revenue",
        "billing_city",
    }


@pytest.mark.parametrize("heading", ["E-mail", "EMAIL", " e mail ", "É-máil"])
def test_headings_are_compared_without_case_accents_and_marks(heading: str) -> None:
    assert plain_heading(heading) == ("email" if heading == "EMAIL" else "e mail")
    assert guess(CONTACTS, [heading]).columns[0].field == "emails"


def test_a_mapping_without_name_or_key_is_refused() -> None:
    city = guess(CONTACTS, ["City"])
    with pytest.raises(UnusableMapping, match="would have no name"):
        checked_mapping(CONTACTS, city, ["City"], "email")
    names = guess(CONTACTS, ["Last name"])
    with pytest.raises(UnusableMapping, match="by which existing records are found"):
        checked_mapping(CONTACTS, names, ["Last name"], "email")
    with pytest.raises(UnusableMapping, match="would have no name"):
        checked_mapping(CONTACTS, Mapping(), ["City"], "email")
