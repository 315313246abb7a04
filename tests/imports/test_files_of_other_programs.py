"""Files as other programs write them come in with the values that people meant."""

from __future__ import annotations

from typing import Any

import pytest

from qikbiz.crm.schema.normalize import normalise_country, normalise_domain, normalise_phone
from qikbiz.crm.schema.number_parsing import parse_boolean, parse_integer, parse_money
from qikbiz.crm.schema.registry import RECORD_TYPES
from qikbiz.crm.schema.validation import FieldProblem
from qikbiz.transfer.imports.csv_reader import plain_text
from qikbiz.transfer.imports.mapping import UnusableMapping, guess
from qikbiz.transfer.imports.names import split_name
from qikbiz.transfer.imports.queries import invalid_rows
from qikbiz.transfer.imports.totals import is_totals
from tests.imports.harness import ImportHarness, csv_text

CONTACTS, COMPANIES = RECORD_TYPES["contacts"], RECORD_TYPES["companies"]


def guessed(header: str, *rows: str, companies: bool = False, ours: bool = False) -> dict[str, str]:
    columns = header.split(",")
    kind = COMPANIES if companies else CONTACTS
    found = guess(kind, columns, [row.split(",") for row in rows], lambda _ids: ours)
    return {columns[one.place]: f"{one.field}:{one.label}" if one.label else one.field for one in found.columns}


def as_read(field_name: str, text: str) -> Any:
    field = CONTACTS.field(field_name)
    return field.parse(field.translate(text))


def test_a_file_as_hubspot_writes_it_comes_in_whole(import_harness: ImportHarness) -> None:
    header = [
        "Record ID", "First Name", "Last Name", "Email", "Phone Number", "Country/Region", "Lifecycle Stage",
        "Contact owner", "Legal basis for processing contact's data",
    ]  # fmt: skip
    rows = [
        ["101", "Ann", "Lee", "ann@example.com", "(202) 555-0143", "United States", "marketingqualifiedlead", "Alice",
         "Freely given consent from contact"],
        ["102", "Bo", "Day", "bo@example.com", "030 901820", "Germany", "lead", "ALICE",
         "Legitimate interest - existing customer"],
        ["103", "Cy", "Fox", "cy@example.com", "4915112345678", "Deutschland", "subscriber", "", ""],
    ]  # fmt: skip
    import_id = import_harness.upload(csv_text(header, rows))
    import_harness.choose(import_id)
    counts = import_harness.check(import_id)
    assert (counts["created"], counts["invalid"], counts["skipped_rows"]) == (3, 0, 0)
    import_harness.apply(import_id)
    bo, cy, ann = import_harness.records()
    assert (ann.phone, bo.phone, cy.phone) == ("+12025550143", "+4930901820", "+4915112345678")
    assert [one.lifecycle_stage for one in (ann, bo, cy)] == ["Marketing qualified lead", "Lead", "Subscriber"]
    assert ann.owner_id == bo.owner_id == import_harness.actor.id
    assert [one.lawful_basis for one in (ann, bo)] == ["Consent", "Legitimate interest"]
    assert [one.external_id for one in (ann, bo, cy)] == ["101", "102", "103"]


def test_a_name_that_two_users_have_does_not_say_who_owns_a_record(import_harness: ImportHarness) -> None:
    from qikbiz.identity.accounts.models import User

    with import_harness.at_work() as session:
        alice = session.get(User, import_harness.actor.id)
        session.add(
            User(
                name=alice.name,
                email="other@example.com",
                email_key="other@example.com",
                roles=["member"],
                state="active",
            )
        )
    import_id = import_harness.upload(csv_text(["Last name", "Email", "Owner"], [["Lee", "lee@example.com", "Alice"]]))
    import_harness.choose(import_id)
    assert import_harness.check(import_id)["created"] == 1
    import_harness.apply(import_id)
    assert import_harness.only().owner_id is None


def test_the_country_of_the_row_goes_before_that_of_the_organisation(import_harness: ImportHarness) -> None:
    rows = [["Lee", "lee@example.com", "0171 1234567", ""], ["Day", "day@example.com", "06 12345678", "France"]]
    import_harness.bring_in(csv_text(["Last name", "Email", "Phone", "Country"], rows), region="DE")
    assert {one.last_name: one.phone for one in import_harness.records()} == {
        "Lee": "+491711234567",
        "Day": "+33612345678",
    }
    companies = [["Acme", "acme.example", "06 12345678", "France"]]
    import_harness.bring_in(csv_text(["Name", "Domain", "Phone", "Country"], companies), "companies", region="DE")
    assert import_harness.only("companies").phone == "+33612345678"


@pytest.mark.parametrize(
    ("text", "region", "right"),
    [
        ("4915112345678", "DE", "+4915112345678"),
        ("49 151 12345678", "DE", "+4915112345678"),
        ("0151 12345678", "DE", "+4915112345678"),
        ("+49 151 12345678", "DE", "+4915112345678"),
        ("49123456", "DE", "+4949123456"),
        ("436641234567", "AT", "+436641234567"),
        ("12025550143", "US", "+12025550143"),
    ],
)
def test_numbers_with_a_country_code_and_without_a_plus(text: str, region: str, right: str) -> None:
    assert normalise_phone(text, region) == right


def test_labels_of_google_are_tags_without_its_own_marks(import_harness: ImportHarness) -> None:
    header = ["First Name", "Last Name", "Labels", "E-mail 1 - Value"]
    groups = "* myContacts ::: Friends ::: Work Colleagues ::: Christmas Cards ::: Tennis Club"
    import_harness.bring_in(
        csv_text(header, [["Anna", "Lee", groups, "a@example.com"], ["Cy", "Fox", "* myContacts", "c@example.com"]])
    )
    fox, lee = import_harness.records()
    assert (lee.tags, fox.tags) == (["Friends", "Work Colleagues", "Christmas Cards", "Tennis Club"], [])


@pytest.mark.parametrize("text", ["0.0.00", "0/0/00", "00.00.0000", "0000-00-00", "0-0-0000", "0000-00-00 00:00:00"])
def test_a_date_that_nobody_gave_is_empty(text: str) -> None:
    assert as_read("birthdate", text) is None
    assert as_read("birthdate", "28.02.1980") is not None


@pytest.mark.parametrize(
    ("header", "values", "right"),
    [
        ("URL", ["https://www.linkedin.com/in/anna-ex", "http://linkedin.com/in/bo"], "linkedin_url"),
        ("Website", ["https://x.com/anna", "twitter.com/bo"], "x_url"),
        ("Website", ["https://example.com", "https://www.linkedin.com/in/bo"], "website"),
        ("Website", ["https://xx.com/"], "website"),
        ("URL", [], "website"),
    ],
)
def test_addresses_of_pages_go_to_the_network_that_they_are_in(header: str, values: list[str], right: str) -> None:
    assert guessed(header, *values) == {header: right}


def test_ids_of_other_programs_are_external_ids_and_ours_are_ours() -> None:
    ident = "a1b2c3d4-0000-4000-8000-000000000001"
    assert guessed("ID,Email Address", f"{ident},a@b.example")["ID"] == "external_id"
    assert guessed("ID,Email Address", f"{ident},a@b.example", ours=True)["ID"] == "id"
    assert guessed("ID,Email Address", "17,a@b.example", ours=True)["ID"] == "external_id"


def test_records_that_do_not_exist_here_are_kept_as_external_ids(import_harness: ImportHarness) -> None:
    ident = "a1b2c3d4-0000-4000-8000-000000000001"
    import_harness.bring_in(csv_text(["ID", "Last name", "Email"], [[ident, "Lee", "lee@example.com"]]))
    assert import_harness.only().external_id == ident
    import_id = import_harness.upload(
        csv_text(["Record ID", "Last name", "Email"], [[str(import_harness.only().id), "Lee", "l@example.com"]])
    )
    assert import_harness.found(import_id).key_field == "id"


def test_digits_that_a_spreadsheet_was_told_to_leave_are_text(import_harness: ImportHarness) -> None:
    rows = 'Name,Email,Zip\nLee,a@example.com,"=""01067"""\nDay,b@example.com,="00501"\nFox,c@example.com,1067.0\n'
    import_harness.bring_in(rows)
    assert {one.last_name: one.postal_code for one in import_harness.records()} == {
        "Lee": "01067",
        "Day": "00501",
        "Fox": "1067",
    }


def test_zeros_that_a_spreadsheet_took_come_back_where_the_country_says_so(import_harness: ImportHarness) -> None:
    rows = "Last name,Email,Zip,Country\nLee,a@x.example,1067.0,Germany\nDay,b@x.example,501,US\n"
    import_harness.bring_in(rows + "Fox,c@x.example,1067,Norway\nCox,d@x.example,1067.0,\n")
    found = {one.last_name: one.postal_code for one in import_harness.records()}
    assert found == {"Lee": "01067", "Day": "00501", "Fox": "1067", "Cox": "1067"}


def test_a_list_without_anything_to_find_contacts_by_is_proposed_as_new_ones(import_harness: ImportHarness) -> None:
    import_id = import_harness.upload("First name,Last name,City\nAnn,Lee,Graz\nBo,Day,Wien\n")
    proposed = import_harness.found(import_id)
    assert proposed.mode == "create"
    import_harness.choose(import_id, mode=proposed.mode)
    assert import_harness.check(import_id)["created"] == 2
    import_harness.apply(import_id)
    assert [one.last_name for one in import_harness.records()] == ["Day", "Lee"]
    with pytest.raises(UnusableMapping, match="choose “Only create”"):
        import_harness.choose(import_harness.upload("First name,Last name,City\nAnn,Lee,Linz\n"), mode="upsert")
    assert plain_text('="a ""b"""') == 'a "b"'
    assert plain_text("=1+1") == "=1+1"


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("Ann Lee", "Ann", "Lee"),
        ("Lee, Ann", "Ann", "Lee"),
        ("Martin Lee, Jr.", "Martin", "Lee Jr."),
        ("Lee, Martin, Jr.", "Martin", "Lee Jr."),
        ("Dr. Ann Lee, PhD", "Dr. Ann", "Lee PhD"),
        ("Ann Lee MD", "Ann", "Lee MD"),
        ("Ann\u00a0Lee", "Ann", "Lee"),
        ("Vincent van Gogh", "Vincent", "van Gogh"),
        ("Maria de la Peña", "Maria", "de la Peña"),
        ("Ludwig van", "Ludwig", "van"),
        ("Al Green", "Al", "Green"),
        ("Yo Ma", "Yo", "Ma"),
        ("Cher", "", "Cher"),
        ("Lee,", "", "Lee"),
        ("", "", ""),
    ],
)
def test_whole_names_are_split_at_the_last_name_with_its_suffix(text: str, first: str, last: str) -> None:
    assert split_name(text) == (first, last)


@pytest.mark.parametrize(
    ("row", "right"),
    [
        (["Total", "", "10"], True),
        (["", "Grand total:", "€ 1.234,50", "17 %"], True),
        (["Summe", "", "", ""], True),
        (["Total", "total@example.com", ""], False),
        (["Total", "Energies", ""], False),
        (["Ann", "", "10"], False),
    ],
)
def test_lines_of_totals_are_told_from_people(row: list[str], right: bool) -> None:
    assert is_totals(row) is right


def test_a_line_of_totals_makes_no_person(import_harness: ImportHarness) -> None:
    import_id = import_harness.upload("Name,Email,Revenue\nAnn Lee,ann@example.com,10\nTotal,,10\n")
    import_harness.choose(import_id)
    assert import_harness.check(import_id)["invalid"] == 1
    with import_harness.at_work():
        (row,) = invalid_rows(import_id).rows
    assert (row.row, row.problems[0]["reason"]) == (3, "This looks like a row of totals.")


@pytest.mark.parametrize(
    ("text", "right"),
    [("WAHR", True), ("FALSCH", False), ("VRAI", True), ("Faux", False), ("SÍ", True), ("Não", False), ("ИСТИНА", True),
     ("YANLIŞ", False), ("Prawda", True)],
)  # fmt: skip
def test_yes_and_no_in_the_languages_of_spreadsheets(text: str, right: bool) -> None:
    assert parse_boolean(text) is right


def test_thousands_are_set_apart_by_spaces_of_every_kind() -> None:
    assert parse_integer("1\u202f234") == parse_integer("1\u00a0234") == parse_integer("1\u2009234") == 1234
    assert str(parse_money("1\u202f234,50", ",")) == "1234.50"


@pytest.mark.parametrize(
    ("text", "code"),
    [("The Netherlands", "NL"), ("Türkiye", "TR"), ("D", "DE"), ("Hong Kong SAR", "HK"), ("Korea, Republic of", "KR"),
     ("中国", "CN"), ("US", "US"), ("Germany", "DE")],
)  # fmt: skip
def test_countries_by_the_names_that_people_use(text: str, code: str) -> None:
    assert normalise_country(text) == code


def test_a_dot_behind_a_domain_is_dropped() -> None:
    for text in ("caseone.example.", "https://www.caseone.example./"):
        assert normalise_domain(text) == "caseone.example"
    with pytest.raises(FieldProblem):
        normalise_domain("...")


def test_a_vertical_tab_is_a_line_break(import_harness: ImportHarness) -> None:
    import_harness.bring_in('Name,Email,Notes\nLee,a@example.com,"line 1\x0bline 2"\n')
    assert import_harness.only().description == "line 1\nline 2"


def test_outlook_in_german() -> None:
    header = (
        "Vorname,Nachname,Firma,Straße geschäftlich,Ort geschäftlich,Postleitzahl geschäftlich,Telefon geschäftlich,"
        "Telefon privat,Mobiltelefon,E-Mail-Adresse,E-Mail 2: Adresse,Kategorien,Land/Region geschäftlich,Geburtstag"
    )
    found = guessed(header)
    assert found == {
        "Vorname": "first_name", "Nachname": "last_name", "Firma": "company_name", "Straße geschäftlich": "street",
        "Ort geschäftlich": "city", "Postleitzahl geschäftlich": "postal_code", "Telefon geschäftlich": "phones:work",
        "Telefon privat": "phones:home", "Mobiltelefon": "phones:mobile", "E-Mail-Adresse": "emails",
        "E-Mail 2: Adresse": "emails", "Kategorien": "tags", "Land/Region geschäftlich": "country",
        "Geburtstag": "birthdate",
    }  # fmt: skip


def test_outlook_in_french() -> None:
    header = (
        "Prénom,Nom,Société,Rue (bureau),Ville (bureau),Code postal (bureau),Pays/Région (bureau),Téléphone (bureau),"
        "Tél. mobile,Adresse de messagerie,Anniversaire,Catégorie"
    )
    assert list(guessed(header).values()) == [
        "first_name", "last_name", "company_name", "street", "city", "postal_code", "country", "phones:work",
        "phones:mobile", "emails", "birthdate", "tags",
    ]  # fmt: skip


def test_thunderbird() -> None:
    header = (
        "First Name,Last Name,Primary Email,Secondary Email,Work Phone,Work Address,Work City,Work ZipCode,Work Country"
    )
    assert list(guessed(header).values()) == [
        "first_name", "last_name", "emails", "emails:other", "phones:work", "street", "city", "postal_code", "country",
    ]  # fmt: skip


def test_the_data_loader_of_salesforce() -> None:
    header = (
        "ID,LASTNAME,FIRSTNAME,MAILINGSTREET,MAILINGCITY,MAILINGPOSTALCODE,MAILINGCOUNTRY,PHONE,MOBILEPHONE,EMAIL,"
        "LEADSOURCE,HASOPTEDOUTOFEMAIL,DONOTCALL"
    )
    assert list(guessed(header, "0035g00000AAAAA1" + "," * 12).values()) == [
        "external_id", "last_name", "first_name", "street", "city", "postal_code", "country", "phones", "phones:mobile",
        "emails", "lead_source", "email_opt_out", "do_not_call",
    ]  # fmt: skip


def test_a_file_of_several_addresses_keeps_them_all(import_harness: ImportHarness) -> None:
    import_harness.bring_in(
        csv_text(["Name", "Email"], [["A", "a@example.com, a2@example.com"], ["B", "b@example.com / b2@example.com"]])
    )
    assert [(one.email, one.other_emails) for one in import_harness.records()] == [
        ("a@example.com", ["a2@example.com"]),
        ("b@example.com", ["b2@example.com"]),
    ]
