"""What kinds of values there are, what is declared of a field, and how a writer writes values."""

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
class FieldDeclaration:
    """One field. `columns` are the database columns it writes; empty means the one of the same name.

    `choices` are the texts kept; with `is_open` any other text is allowed too. `in_list` shows it in a list at
    first, and on the record's page among the key facts, as `is_key` does.
    `is_locked` is set where a person may see the field and not change it (`crm/records/field_access.py`).
    `references` is the name of the record type that the field names a record of. Such a field writes that record's id
    to its last column, and where it has two it repeats the record's name in the first.
    """

    name: str
    label: str
    kind: FieldKind = FieldKind.TEXT
    section: str = ""
    help: str = ""
    max_length: int = 200
    choices: tuple[str, ...] = ()
    is_open: bool = False
    is_required: bool = False
    is_importable: bool = True
    is_exportable: bool = True
    is_editable: bool = True
    is_searchable: bool = False
    is_filterable: bool = False
    is_sortable: bool = False
    is_listable: bool = True
    in_list: bool = False
    is_key: bool = False
    columns: tuple[str, ...] = ()
    references: str = ""
    autocomplete: str = "off"
    is_locked: bool = False

    @property
    def written_columns(self) -> tuple[str, ...]:
        return self.columns or (self.name,)


@dataclass(frozen=True, slots=True)
class ParseLocale:
    """How the writer writes: the country of numbers without a code, the order in 03/04/2026, the decimal mark."""

    default_region: str = ""
    date_order: DateOrder = ""
    decimal_mark: str = "."


PLAIN = ParseLocale()
