"""Which field of ours the heading of a column means, as its record type lists them.

A heading is compared without case, accents and punctuation, also with its words run together as the Data Loader of
Salesforce writes them. `Target` names a field and, for addresses, a label.
"""

from __future__ import annotations

import re
from functools import cache

from qikbiz.crm.schema.normalize import fold
from qikbiz.crm.schema.record_type import RecordType

Target = tuple[str, str]
_NO_WORD = re.compile(r"[^a-z0-9]+")

# Addresses that come in several columns: each keeps its label.
_EMAIL_LABELS = {
    "": "", "work": "work", "business": "work", "home": "home", "private": "home", "personal": "home", "other": "other",
    "secondary": "other", "additional": "other", "alternate": "other", "primary": "", "main": "",
    "professional": "work", "geschaftlich": "work", "privat": "home",
}  # fmt: skip
_PHONE_LABELS = {
    "": "", "work": "work", "business": "work", "office": "work", "company": "work", "direct": "work",
    "mobile": "mobile", "mobil": "mobile", "cell": "mobile", "cellular": "mobile", "handy": "mobile",
    "whatsapp": "mobile", "home": "home", "private": "home", "other": "other", "car": "other",
    "primary": "", "main": "", "geschaftlich": "work", "privat": "home", "bureau": "work", "domicile": "home",
    "autre": "other", "weiteres": "other",
}  # fmt: skip
_EMAIL_COLUMN = re.compile(
    r"^(?:(?:contact|person) )?(?:(\w+) )?(?:e ?mail|courriel|adresse e ?mail|adresse de messagerie)"
    r"(?: (?:address|adresse))?(?: (\d))?(?: (?:address|adresse|value))?(?: (work|home|other|geschaftlich|privat))?$"
)
_PHONE_COLUMN = re.compile(
    r"^(?:(?:contact|person) )?(?:(\w+) )?(?:tele)?(?:phone|telefon|fon|tel)(?: number| nummer)?"
    r"(?: (work|home|mobile|other|geschaftlich|privat|bureau|domicile|mobile|autre))?(?: (\d))?(?: (?:value|number))?"
    r"(?: (work|home|mobile|other))?$"
)
_BARE_PHONES = {
    "mobile": "mobile", "mobile number": "mobile", "cell": "mobile", "handy": "mobile", "handynummer": "mobile",
    "mobiltelefon": "mobile", "mobiltelefon 2": "mobile", "mobilephone": "mobile", "mobilnummer": "mobile",
    "tel mobile": "mobile", "telephone mobile": "mobile", "portable": "mobile", "natel": "mobile",
    "homephone": "home", "otherphone": "other", "assistantphone": "other", "businessphone": "work",
    "telefon firma": "work", "haupttelefon": "", "weiteres telefon": "other", "rufnummer": "",
    "telephone bureau": "work", "telephone domicile": "home", "telephone principal": "", "telephone autre": "other",
    "workphone": "work", "phone work": "work",
}  # fmt: skip
_LABEL_COLUMN = re.compile(r"^(?:e ?mail|phone) \d (?:label|type)$")


def plain_heading(heading: str) -> str:
    """The heading as it is compared: small letters and digits. `E-mail 1 - Value` is `e mail 1 value`."""
    return _NO_WORD.sub(" ", fold(heading)).strip()


def meaning(record_type: RecordType, heading: str) -> Target | None:
    """The field that a heading means, with the label of an address; None when it is not known."""
    plain = plain_heading(heading)
    known = _known(record_type)
    found = known.get(plain) or known.get(plain.replace(" ", ""))
    if found:
        return found, ""
    return _address_column(plain) if record_type.address_lists else None


def is_label_column(heading: str) -> bool:
    """Whether the column names the label of the address beside it, as Google's `Phone 1 - Label` does."""
    return bool(_LABEL_COLUMN.match(plain_heading(heading)))


@cache
def _known(record_type: RecordType) -> dict[str, str]:
    names = {
        plain_heading(text): field.name for field in record_type.importable() for text in (field.name, field.label)
    }
    others = {heading: field for field, headings in record_type.headings.items() for heading in headings}
    together = {heading.replace(" ", ""): field for heading, field in others.items()}
    # Our own names last: they win over what another program may mean by the same word.
    return together | others | names


def _address_column(plain: str) -> Target | None:
    if plain in ("mail", "mail address", "mailadresse"):
        return "emails", ""
    if plain in _BARE_PHONES:
        return "phones", _BARE_PHONES[plain]
    email, phone = _EMAIL_COLUMN.match(plain), _PHONE_COLUMN.match(plain)
    if email and (email[1] or "") in _EMAIL_LABELS:
        return "emails", _EMAIL_LABELS[email[1] or email[3] or ""]
    if phone and (phone[1] or "") in _PHONE_LABELS:
        return "phones", _PHONE_LABELS[phone[1] or phone[2] or phone[4] or ""]
    return None
