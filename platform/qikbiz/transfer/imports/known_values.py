"""Values as other programs write them: their internal names of choices, their labels, their empty dates."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from qikbiz.crm.records.fields import Field, FieldKind
from qikbiz.crm.records.parsing import choice_key

_CHOICES = {
    # HubSpot's own words for the reasons to keep somebody's data.
    "lawful_basis": {
        "freely given consent from contact": "Consent",
        "consent given": "Consent",
        "legitimate interest prospect lead": "Legitimate interest",
        "legitimate interest existing customer": "Legitimate interest",
        "legitimate interest other": "Legitimate interest",
        "legitimate interests": "Legitimate interest",
        "performance of a contract": "Contract",
        "public interest": "Public task",
    },
    "lifecycle_stage": {"mql": "Marketing qualified lead", "sql": "Sales qualified lead", "client": "Customer"},
    "type": {"vendor": "Supplier", "client": "Customer"},
}
_KNOWN = {
    name: {choice_key(written): choice for written, choice in choices.items()} for name, choices in _CHOICES.items()
}
# COMPUTER_SOFTWARE, as programs keep choices that people see as "Computer software".
_INTERNAL = re.compile(r"[A-Z0-9]+(?:_[A-Z0-9]+)+")
# Outlook writes 0.0.00 or 0/0/00 for a birthday that nobody gave, databases 0000-00-00.
_EMPTY_DATE = re.compile(r"0{1,4}([./-])0{1,2}\1(?:0{2}|0{4})(?:[ T]00:00(?::00)?)?")
# Every contact of Google is in this group.
_ALL_CONTACTS = "mycontacts"
_WHOLE_NUMBER = re.compile(r"\d{3,10}[.,]0")
# Their postal codes have five digits each, some with a zero at the start.
_FIVE_DIGITS = frozenset(
    ["DE", "DZ", "EE", "ES", "FI", "FR", "HR", "IT", "LT", "MA", "ME", "MX", "RS", "TR", "UA", "US"]
)


def understood(field: Field) -> Callable[[str], str] | None:
    """What turns another program's text for this field into ours; None where there is nothing to turn."""
    if field.kind is FieldKind.CHOICE:
        return lambda text: _choice(field, text)
    if field.kind is FieldKind.DATE:
        return lambda text: "" if _EMPTY_DATE.fullmatch(text.strip()) else text
    if field.kind is FieldKind.TAGS:
        return _tags
    if field.name.endswith("postal_code"):
        # A spreadsheet took it for a number.
        return lambda text: text[:-2] if text.endswith((".0", ",0")) and _WHOLE_NUMBER.fullmatch(text) else text
    return None


def lost_zeros(text: str) -> bool:
    """Whether a spreadsheet took this postal code for a number, so that zeros at its start are gone."""
    return _WHOLE_NUMBER.fullmatch(text.strip()) is not None


def with_zeros(code: str, country: str) -> str:
    """A postal code of three or four digits with the zeros that codes of its country must have."""
    return code.zfill(5) if country in _FIVE_DIGITS and code.isdecimal() and len(code) in (3, 4) else code


def json_list(text: str) -> list[object] | None:
    """The list that a portable export of ours writes into a cell; None for any other text."""
    if not text.startswith("["):
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, list) else None


def _choice(field: Field, text: str) -> str:
    known = _KNOWN.get(field.name, {}).get(choice_key(text))
    if known is not None:
        return known
    if field.is_open and _INTERNAL.fullmatch(text.strip()):
        return text.strip().replace("_", " ").capitalize()
    return text


def _tags(text: str) -> str:
    listed = json_list(text)
    if listed is not None and all(isinstance(tag, str) for tag in listed):
        return "; ".join(map(str, listed))
    if ":::" not in text and not text.startswith("* "):
        return text
    tags = (tag.strip().removeprefix("*").strip() for tag in text.split(":::"))
    return "; ".join(tag for tag in tags if tag.casefold() != _ALL_CONTACTS)
