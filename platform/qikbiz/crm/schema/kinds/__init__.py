"""The kinds of fields, one class in one file each; they meet no type's name.

A new kind is a subclass of `crm.schema.field.Field` here, with what it does otherwise than text, and its name below.
"""

from __future__ import annotations

from qikbiz.crm.schema.kinds.boolean import Boolean
from qikbiz.crm.schema.kinds.choice import Choice
from qikbiz.crm.schema.kinds.country import Country
from qikbiz.crm.schema.kinds.currency import Currency
from qikbiz.crm.schema.kinds.date import Date
from qikbiz.crm.schema.kinds.domain import Domain
from qikbiz.crm.schema.kinds.email import Email
from qikbiz.crm.schema.kinds.emails import Emails
from qikbiz.crm.schema.kinds.integer import Integer
from qikbiz.crm.schema.kinds.long_text import LongText
from qikbiz.crm.schema.kinds.money import Money
from qikbiz.crm.schema.kinds.owner import Owner
from qikbiz.crm.schema.kinds.phone import Phone
from qikbiz.crm.schema.kinds.phones import Phones
from qikbiz.crm.schema.kinds.postal_code import PostalCode
from qikbiz.crm.schema.kinds.record_id import RecordId
from qikbiz.crm.schema.kinds.reference import Reference
from qikbiz.crm.schema.kinds.tags import Tags
from qikbiz.crm.schema.kinds.text import Text
from qikbiz.crm.schema.kinds.timestamp import Timestamp
from qikbiz.crm.schema.kinds.url import Url

KINDS = (
    Boolean, Choice, Country, Currency, Date, Domain, Email, Emails, Integer, LongText, Money, Owner, Phone, Phones,
    PostalCode, RecordId, Reference, Tags, Text, Timestamp, Url,
)  # fmt: skip

__all__ = [
    "KINDS", "Boolean", "Choice", "Country", "Currency", "Date", "Domain", "Email", "Emails", "Integer", "LongText",
    "Money", "Owner", "Phone", "Phones", "PostalCode", "RecordId", "Reference", "Tags", "Text", "Timestamp", "Url",
]  # fmt: skip
