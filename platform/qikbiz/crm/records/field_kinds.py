"""What kinds of values there are, and how a writer writes them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from qikbiz.crm.records.number_parsing import DateOrder


class FieldKind(StrEnum):
    """What a value is; decides how it is read, shown, edited, compared and sorted."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    EMAILS = "emails"
    EMAIL = "email"
    PHONES = "phones"
    PHONE = "phone"
    URL = "url"
    DOMAIN = "domain"
    COUNTRY = "country"
    DATE = "date"
    INTEGER = "integer"
    MONEY = "money"
    CURRENCY = "currency"
    CHOICE = "choice"
    BOOLEAN = "boolean"
    TAGS = "tags"
    OWNER = "owner"
    COMPANY = "company"
    CONTACT = "contact"
    TIMESTAMP = "timestamp"
    ID = "id"


@dataclass(frozen=True, slots=True)
class ParseLocale:
    """How the writer writes: the country of numbers without a code, the order in 03/04/2026, the decimal mark."""

    default_region: str = ""
    date_order: DateOrder = ""
    decimal_mark: str = "."


PLAIN = ParseLocale()
