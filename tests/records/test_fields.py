"""Reading text into values: what each kind accepts, refuses with a reason, and writes back to the same."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qikbiz.crm.schema.field import PLAIN, Field, ParseLocale
from qikbiz.crm.schema.kinds import (
    Boolean,
    Country,
    Currency,
    Date,
    Domain,
    Email,
    Emails,
    Integer,
    LongText,
    Money,
    Phone,
    Phones,
    RecordId,
    Tags,
    Text,
    Timestamp,
    Url,
)  # fmt: skip
from qikbiz.crm.schema.record_type import derived_columns
from qikbiz.crm.schema.registry import RECORD_TYPES
from qikbiz.crm.schema.validation import FieldProblem
from qikbiz.kernel.errors import NotFound

CONTACTS, COMPANIES = RECORD_TYPES["contacts"], RECORD_TYPES["companies"]
GERMANY = ParseLocale(default_region="DE", date_order="dmy", decimal_mark=",")


def read(kind: type[Field], text: str, context: ParseLocale = PLAIN, **rules: Any) -> Any:
    return kind("thing", "Thing", **rules).parse(text, context)


@pytest.mark.promise("P6")
@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Text, "  Ann ", "Ann"),
        (Text, "=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0"),
        (Text, "\tAnn\u00a0Lee\u200b\u202f ", "Ann\u00a0Lee"),
        (Text, "\uff1dfull width", "\uff1dfull width"),
        (Text, "'quoted", "'quoted"),
        (Text, "e\u0301", "é"),
        (Text, "   ", None),
        (Email, " Ann Lee <Ann.LEE@Example.COM> ", "ann.lee@example.com"),
        (Email, "mailto:a@example.com", "a@example.com"),
        (Email, "\u200ba@example.com\u00a0", "a@example.com"),
        (Phone, "+49 (0)30 123456", "+4930123456"),
        (Phone, "tel:+43-664-1234567", "+436641234567"),
        (Phone, "\u202a+43 664 1234567\u202c", "+436641234567"),
        (Phone, "+1 650 253 0000 ext. 5", "+16502530000x5"),
        (Country, "deutschland", "DE"),
        (Country, "USA", "US"),
        (Country, "at", "AT"),
        (Url, "example.com", "https://example.com"),
        (Url, "HTTP://Example.com/Path?x=1", "http://example.com/Path?x=1"),
        (Domain, "https://www.Example.com/about", "example.com"),
        (Date, "2026-11-03", date(2026, 11, 3)),
        (Date, "2026-11-03T00:00:00", date(2026, 11, 3)),
        (Date, "3.11.2026", date(2026, 11, 3)),
        (Date, "13/04/2026", date(2026, 4, 13)),
        (Date, "04/13/2026", date(2026, 4, 13)),
        (Integer, "1,200", 1200),
        (Money, "€ 1,234.50", Decimal("1234.50")),
        (Currency, "eur", "EUR"),
        (Boolean, "Yes", True),
        (Boolean, "", False),
        (Tags, "VIP; vip, Fair 2026", ["VIP", "Fair 2026"]),
        (Timestamp, "2026-11-03T14:05:00+01:00", datetime.fromisoformat("2026-11-03T14:05:00+01:00")),
        (Timestamp, "2026-11-03 14:05", datetime(2026, 11, 3, 14, 5, tzinfo=UTC)),
        (RecordId, "018f2b3c-0000-7000-8000-000000000001", UUID("018f2b3c-0000-7000-8000-000000000001")),
    ],
)
def test_text_becomes_the_one_spelling_of_its_value(kind: type[Field], text: str, value: Any) -> None:
    assert read(kind, text) == value


def test_a_writers_country_and_marks_are_used() -> None:
    assert read(Phone, "030 123456", GERMANY) == "+4930123456"
    assert read(Money, "1.234,50", GERMANY) == Decimal("1234.50")
    assert read(Date, "03/04/2026", GERMANY) == date(2026, 4, 3)
    assert read(Date, "03/04/2026", ParseLocale(date_order="mdy")) == date(2026, 3, 4)


@pytest.mark.promise("P6")
@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Text, "nul\x00here"),
        (Text, "x" * 201),
        (Email, "ann@@example.com"),
        (Email, "ann"),
        (Email, "a@b"),
        (Phone, "030 123456"),
        (Phone, "call the desk"),
        (Phone, "+49 1"),
        (Country, "Atlantis"),
        (Url, "javascript:alert(1)"),
        (Url, "https://user:secret@example.com"),
        (Url, "no spaces.example.com"),
        (Url, "http://[::1"),
        (Date, "03/04/2026"),
        (Date, "2026-02-30"),
        (Date, "yesterday"),
        (Integer, "1,5"),
        (Integer, "-3"),
        (Integer, "9" * 40),
        (Money, "1.005"),
        (Money, "1.234,50"),
        (Money, "NaN"),
        (Money, "1e9"),
        (Currency, "XXQ"),
        (Boolean, "maybe"),
        (Tags, ",".join(f"tag{n}" for n in range(60))),
        (Timestamp, "noon"),
        (RecordId, "17"),
        (Emails, "a@example.com; broken@"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_reason_and_a_way_out(kind: type[Field], text: str) -> None:
    with pytest.raises(FieldProblem) as refused:
        read(kind, text)
    assert refused.value.reason.endswith(".")
    assert refused.value.how_to_fix.endswith(".")
    assert "\x00" not in str(refused.value)


def test_a_closed_choice_takes_only_its_texts_and_an_open_one_any() -> None:
    assert CONTACTS.field("lifecycle_stage").parse("customer") == "Customer"
    with pytest.raises(FieldProblem, match="Evangelist"):
        CONTACTS.field("lifecycle_stage").parse("Frenemy")
    assert CONTACTS.field("lead_source").parse("web site") == "Website"
    assert CONTACTS.field("lead_source").parse("A friend of Ann") == "A friend of Ann"


def test_a_required_field_says_so() -> None:
    with pytest.raises(FieldProblem, match="Name is missing"):
        COMPANIES.field("name").parse("  ")


def test_lists_keep_labels_order_and_each_address_once() -> None:
    parsed = CONTACTS.field("emails").parse("work: Ann@Example.com; b@example.com ::: home: ann@example.com")
    assert parsed == [{"label": "work", "address": "ann@example.com"}, {"label": "", "address": "b@example.com"}]
    phones = CONTACTS.field("phones").parse("mobile: 0176 1234567, +43 1 6012345", GERMANY)
    assert [entry["number"] for entry in phones] == ["+491761234567", "+4316012345"]


def test_derived_columns_repeat_the_primary_address_and_fold_the_name() -> None:
    emails = CONTACTS.field("emails").parse("a@example.com; b@example.com")
    columns = derived_columns(CONTACTS, {"first_name": "Ann", "last_name": "Österreich", "emails": emails})
    assert columns["email"] == "a@example.com"
    assert columns["other_emails"] == ["b@example.com"]
    assert columns["sort_name"] == "osterreich, ann"


def test_an_address_given_alone_takes_the_place_of_the_primary_one() -> None:
    before = {"email": "a@example.com", "emails": CONTACTS.field("emails").parse("work: a@example.com; b@example.com")}
    new = derived_columns(CONTACTS, {"email": "c@example.com"}, before)
    assert (new["email"], new["other_emails"]) == ("c@example.com", ["b@example.com"])
    promoted = derived_columns(CONTACTS, {"email": "b@example.com"}, before)
    assert (promoted["email"], promoted["other_emails"]) == ("b@example.com", [])
    untouched = derived_columns(CONTACTS, {"last_name": "Lee"}, before)
    assert untouched["emails"] == before["emails"]


def test_both_together_put_the_single_one_first() -> None:
    emails = CONTACTS.field("emails").parse("a@example.com; b@example.com")
    columns = derived_columns(CONTACTS, {"email": "b@example.com", "emails": emails})
    assert (columns["email"], columns["other_emails"]) == ("b@example.com", ["a@example.com"])


def test_without_a_name_a_contact_is_sorted_by_how_to_reach_it() -> None:
    assert derived_columns(CONTACTS, {"email": "a@example.com"})["sort_name"] == "a@example.com"
    assert derived_columns(CONTACTS, {"phone": "+4316012345"})["sort_name"] == "+4316012345"


def test_nothing_to_call_it_by_is_refused() -> None:
    with pytest.raises(FieldProblem, match="at least one of: first name or last name or email or phone"):
        CONTACTS.check({"city": "Graz"})


@pytest.mark.parametrize("record_type", RECORD_TYPES.values(), ids=RECORD_TYPES)
def test_every_field_writes_columns_that_exist(record_type: Any) -> None:
    columns = set(record_type.model.__table__.c.keys())
    assert {column for field in record_type.fields for column in field.written_columns} <= columns
    assert len({field.name for field in record_type.fields}) == len(record_type.fields)
    with pytest.raises(NotFound):
        record_type.field("favourite_colour")


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=200)
WORDS = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20)
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
MONEY = st.decimals(Decimal("-99999999"), Decimal("99999999"), places=2)
VALUES: dict[type[Field], st.SearchStrategy[str]] = {
    Text: TEXTS,
    LongText: TEXTS,
    Date: st.dates(date(1900, 1, 1)).map(str),
    Timestamp: MOMENTS.map(datetime.isoformat),
    Integer: st.integers(0, 2**63 - 1).map(str),
    Money: MONEY.map(str),
    Boolean: st.sampled_from(["yes", "no"]),
    Tags: st.lists(WORDS, min_size=1, max_size=5).map(", ".join),
    RecordId: st.uuids().map(str),
    Country: st.sampled_from(["AT", "Germany", "Frankreich"]),
    Emails: st.lists(st.emails(domains=st.just("example.com")), min_size=1, max_size=4).map("; ".join),
    Phones: st.lists(st.integers(10_000, 9_999_999).map("+43664{}".format), min_size=1).map(", ".join),
    Url: WORDS.map("https://example.com/{}".format),
}


@given(data=st.data(), kind=st.sampled_from(list(VALUES)))
def test_what_is_shown_is_read_back_to_the_same_value(data: Any, kind: type[Field]) -> None:
    field = kind("thing", "Thing", max_length=20_000)
    try:
        value = field.parse(data.draw(VALUES[kind]))
    except FieldProblem:
        return
    assert field.parse(field.show(value)) == value
