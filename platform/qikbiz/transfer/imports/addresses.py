"""E-mails and phones a million at a time: the same answers as `records.parsing`, found without the libraries where that
is certain. Anything unusual goes to the libraries; a Hypothesis test holds both against each other.
"""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers

from qikbiz.crm.records.normalize import normalise_email, normalise_phone
from qikbiz.crm.records.validation import FieldProblem

_PLAIN_EMAIL = re.compile(r"(?=[^@]{1,64}@)([A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*)@([A-Za-z0-9.-]{4,100})")
_PLAIN_PHONE = re.compile(r"\+[1-9][0-9 ().-]{6,24}")
# The library's region of numbers that belong to no country.
_WORLDWIDE = "001"
_SEPARATORS = str.maketrans("", "", " ().-")


def quick_email(text: str) -> str:
    """What `normalise_email` gives. A plain name before the @ is certain; its domain is judged once for all."""
    plain = _PLAIN_EMAIL.fullmatch(text)
    if plain is None:
        return normalise_email(text)
    domain = _usual_domain(plain[2])
    return f"{plain[1].lower()}@{domain}" if domain else normalise_email(text)


@lru_cache(maxsize=50_000)
def _usual_domain(domain: str) -> str:
    try:
        return normalise_email(f"a@{domain}")[2:]
    except FieldProblem:
        return ""


def quick_phone(text: str, default_region: str = "") -> str:
    """What `normalise_phone` gives. An international number that has no trunk prefix and a usual length is certain."""
    if _PLAIN_PHONE.fullmatch(text):
        digits = text.translate(_SEPARATORS)
        rule = _rule_of(digits[1:4])
        if rule is not None:
            code_length, lengths, trunk_prefix = rule
            national = digits[code_length:]
            if len(national) in lengths and not (trunk_prefix and trunk_prefix.match(national)):
                return digits
    return normalise_phone(text, default_region)


@lru_cache(maxsize=1_000)
def _rule_of(start: str) -> tuple[int, frozenset[int], re.Pattern[str] | None] | None:
    """For the first three digits: length of + and country code, usual lengths behind it, what a trunk prefix is."""
    for length in (1, 2, 3):
        regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(start[:length]))
        if regions and regions[0] != _WORLDWIDE:
            about = phonenumbers.PhoneMetadata.metadata_for_region(regions[0])
            if about is None or about.general_desc is None:
                return None
            prefix = about.national_prefix_for_parsing
            return length + 1, frozenset(about.general_desc.possible_length), re.compile(prefix) if prefix else None
    return None
