"""What somebody types into a search field, as a condition. Every special character is only a space."""

from __future__ import annotations

import unicodedata
from typing import Any

from sqlalchemy import ColumnElement, and_, case, false, func, literal, literal_column, or_

from qikbiz.crm.records.search_document import search_document
from qikbiz.crm.schema.normalize import fold
from qikbiz.crm.schema.record_type import RecordType

LONGEST_SEARCH = 200
MOST_WORDS = 8
# A shorter beginning is in most rows: it is looked for at the start of names only, which an index answers.
SHORTEST_WORD = 2
_PHONE_CHARACTERS = frozenset("0123456789+-/(). \u00a0")
_HIGHEST = "\U0010ffff"


def search_condition(record_type: RecordType, typed: str) -> ColumnElement[bool]:
    """Rows in which every word of `typed` begins some word. Nothing to look for finds nothing."""
    typed = unicodedata.normalize("NFC", typed[:LONGEST_SEARCH].replace("\x00", " "))
    words = _words(typed)
    if not words:
        return false()
    long_words = [word for word in words if len(word) >= SHORTEST_WORD]
    if not long_words:
        return _name_begins(record_type, " ".join(words))
    found = _document_matches(record_type, _query(long_words, typed))
    return or_(found, _has_address(record_type, typed)) if "@" in typed else found


def _document_matches(record_type: RecordType, query: str) -> ColumnElement[bool]:
    document: Any = record_type.model.__table__.c.search
    looked_for = func.to_tsquery(literal_column("'simple'"), literal(query))
    found: ColumnElement[bool] = document.op("@@", is_comparison=True)(looked_for)
    if not _unsearched(record_type):
        return found
    # The index finds too much; what is known to this person is looked at once more.
    return and_(found, _known_document(record_type).op("@@", is_comparison=True)(looked_for))


def _unsearched(record_type: RecordType) -> frozenset[str]:
    """The columns that a search must not tell anything about."""
    return record_type.unsearchable & {*record_type.searched, "phone", "other_emails"}


def _known_document(record_type: RecordType) -> Any:
    gone = _unsearched(record_type)
    columns = ["(case when " + _is_named(record_type) + " then sort_name end)"]
    columns += [name for name in record_type.searched[1:] if name not in gone]
    return literal_column(search_document(*columns, phone="''" if "phone" in gone else "phone"))


def _is_named(record_type: RecordType) -> str:
    return " or ".join(f"{name} is not null" for name in record_type.names)


def sorted_name(record_type: RecordType) -> ColumnElement[Any]:
    """The column by which names are sorted, empty where it would repeat what this person may not know."""
    name: ColumnElement[Any] = record_type.model.__table__.c.sort_name
    if not _unsearched(record_type):
        return name
    return case((literal_column(f"({_is_named(record_type)})"), name), else_="")


def _query(words: list[str], typed: str) -> str:
    # Words hold letters, marks and digits only, so the quotes can't be left.
    joined = " & ".join(_either(word, fold(word)) for word in words)
    digits = _dialled(typed)
    return f"({joined}) | {_prefix(digits)}" if digits else joined


def _either(word: str, folded: str) -> str:
    return _prefix(word) if word == folded else f"({_prefix(word)} | {_prefix(folded)})"


def _prefix(word: str) -> str:
    return f"'{word}':*"


def _words(typed: str) -> list[str]:
    spaced = "".join(character if _belongs_to_word(character) else " " for character in typed.lower())
    return spaced.split()[:MOST_WORDS]


def _belongs_to_word(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN"


def _dialled(typed: str) -> str:
    """`0049 30 123`, `+49 30 123` and `030 123` as the digits that a number's word begins with."""
    if not _PHONE_CHARACTERS.issuperset(typed):
        return ""
    digits = "".join(character for character in typed if character.isdecimal())
    return digits.removeprefix("00").removeprefix("0") if len(digits) >= SHORTEST_WORD else ""


def _name_begins(record_type: RecordType, beginning: str) -> ColumnElement[bool]:
    name = sorted_name(record_type)
    start = fold(beginning)
    return and_(name >= start, name < start + _HIGHEST)


def _has_address(record_type: RecordType, typed: str) -> ColumnElement[bool]:
    columns = record_type.model.__table__.c
    if "other_emails" not in columns or "other_emails" in record_type.unsearchable:
        return false()
    # The second half lets the partial index answer.
    return and_(columns.other_emails.contains([typed.strip().lower()]), columns.other_emails != literal_column("'{}'"))
