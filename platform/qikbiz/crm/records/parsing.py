"""Text to value, by kind of field."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

from qikbiz.crm.records import normalize, number_parsing
from qikbiz.crm.records.field_kinds import FieldDeclaration, FieldKind, ParseLocale
from qikbiz.crm.records.normalize import clean_text, fold, name_key, plain
from qikbiz.crm.records.validation import FieldProblem

Parser = Callable[[FieldDeclaration, str, ParseLocale], Any]
LISTS = frozenset({FieldKind.EMAILS, FieldKind.PHONES, FieldKind.TAGS})
LONGEST_LIST = 50
LONGEST_TAG = 50
_BETWEEN = re.compile(r"\s*(?:[;,\n]|:::)\s*")
_NO_LETTER = re.compile(r"[\W_]+")
_LABEL = re.compile(r"[^:;,@+<>\n\x00-\x1f]{0,40}")
_LABELLED = re.compile(r"^([^:;,@+<>\n]{1,40}):\s+(.+)$", re.DOTALL)


def parse_value(field: FieldDeclaration, text: str, context: ParseLocale) -> Any:
    """None for empty text, an empty list where the field holds several."""
    if not text or not text.strip():
        return _empty(field)
    value = _PARSERS[field.kind](field, text, context)
    if isinstance(value, str) and len(value) > field.max_length:
        raise FieldProblem(
            f"It is {len(value):,} characters long.",
            f"At most {field.max_length:,} characters are allowed in {field.label}.",
        )
    return value


def is_label(text: str) -> bool:
    """Whether this can stand in front of an address: `work` in `work: ann@example.com`."""
    return _LABEL.fullmatch(text) is not None


def _empty(field: FieldDeclaration) -> Any:
    if field.is_required:
        raise FieldProblem(f"{field.label} is missing.", "Enter a value.")
    if field.kind is FieldKind.BOOLEAN:
        return False
    return [] if field.kind in LISTS else None


def _text(_field: FieldDeclaration, text: str, _context: ParseLocale) -> str:
    return clean_text(text)


def _emails(_field: FieldDeclaration, text: str, _context: ParseLocale) -> list[dict[str, str]]:
    entries = [
        {"label": label, "address": normalize.normalise_email(address)} for label, address in _labelled_entries(text)
    ]
    return normalize.merge_entries(None, entries, "address")


def _phones(_field: FieldDeclaration, text: str, context: ParseLocale) -> list[dict[str, str]]:
    entries = [
        {"label": label, "number": normalize.normalise_phone(number, context.default_region)}
        for label, number in _labelled_entries(text)
    ]
    return normalize.merge_entries(None, entries, "number")


def _labelled_entries(text: str) -> list[tuple[str, str]]:
    parts = [part for part in _BETWEEN.split(clean_text(text)) if part.strip()]
    if len(parts) > LONGEST_LIST:
        raise FieldProblem(f"There are {len(parts)} entries.", f"At most {LONGEST_LIST} are allowed.")
    return [_label_and_rest(part.strip()) for part in parts]


def _label_and_rest(part: str) -> tuple[str, str]:
    labelled = _LABELLED.match(part)
    return (labelled[1].strip(), labelled[2]) if labelled else ("", part)


def _choice(field: FieldDeclaration, text: str, _context: ParseLocale) -> str:
    written = clean_text(text)
    known = {choice_key(choice): choice for choice in field.choices}
    found = known.get(choice_key(written), written if field.is_open else None)
    if found is None:
        raise FieldProblem(f"“{written[:60]}” isn't a valid option.", f"Use one of: {', '.join(field.choices)}.")
    return found


def choice_key(text: str) -> str:
    """How a choice is looked up: letters and digits alone, so that `marketingqualifiedlead` is found too."""
    return _NO_LETTER.sub("", fold(text)) or text


def _tags(_field: FieldDeclaration, text: str, _context: ParseLocale) -> list[str]:
    kept: dict[str, str] = {}
    for tag in filter(None, map(str.strip, re.split(r"[;,\n]", clean_text(text)))):
        kept.setdefault(name_key(tag), tag)
    tags = list(kept.values())
    if len(tags) > LONGEST_LIST or any(len(tag) > LONGEST_TAG for tag in tags):
        raise FieldProblem(
            "There are too many tags, or one is too long.", f"At most {LONGEST_LIST} tags of {LONGEST_TAG} characters."
        )
    return tags


def _owner(_field: FieldDeclaration, text: str, _context: ParseLocale) -> UUID | str:
    # An address is the sure name of a colleague; a plain name is looked up too.
    written = plain(text)
    found = _uuid_or_none(written)
    if found is not None:
        return found
    return normalize.normalise_email(written) if "@" in written else written


def _id(_field: FieldDeclaration, text: str, _context: ParseLocale) -> UUID:
    found = _uuid_or_none(plain(text))
    if found is None:
        raise FieldProblem(f"“{text[:60]}” is not a record id.", "Use the id from an export.")
    return found


def _uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) >= 32 else None
    except ValueError:
        return None


_PARSERS: dict[FieldKind, Parser] = {
    FieldKind.TEXT: _text,
    FieldKind.LONG_TEXT: _text,
    FieldKind.COMPANY: _text,
    FieldKind.EMAILS: _emails,
    FieldKind.EMAIL: lambda _field, text, _context: normalize.normalise_email(text),
    FieldKind.PHONES: _phones,
    FieldKind.PHONE: lambda _field, text, context: normalize.normalise_phone(text, context.default_region),
    FieldKind.URL: lambda _field, text, _context: normalize.normalise_url(text),
    FieldKind.DOMAIN: lambda _field, text, _context: normalize.normalise_domain(text),
    FieldKind.COUNTRY: lambda _field, text, _context: normalize.normalise_country(text),
    FieldKind.DATE: lambda _field, text, context: number_parsing.parse_date(text, context.date_order),
    FieldKind.INTEGER: lambda _field, text, context: number_parsing.parse_integer(text, context.decimal_mark),
    FieldKind.MONEY: lambda _field, text, context: number_parsing.parse_money(text, context.decimal_mark),
    FieldKind.CURRENCY: lambda _field, text, _context: number_parsing.parse_currency(text),
    FieldKind.CHOICE: _choice,
    FieldKind.BOOLEAN: lambda _field, text, _context: number_parsing.parse_boolean(text),
    FieldKind.TAGS: _tags,
    FieldKind.OWNER: _owner,
    FieldKind.CONTACT: _id,
    FieldKind.TIMESTAMP: lambda _field, text, _context: number_parsing.parse_timestamp(text),
    FieldKind.ID: _id,
}
