"""One telephone number, kept in the form of E.164."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import phonenumbers

from qikbiz.crm.schema.field import ParseLocale, Showing
from qikbiz.crm.schema.kinds.presence import FilteredByPresence
from qikbiz.crm.schema.normalize import normalise_phone, show_phone

_PLAIN = re.compile(r"\+[1-9][0-9 ().-]{6,24}")
# The library's region of numbers that belong to no country.
_WORLDWIDE = "001"
_SEPARATORS = str.maketrans("", "", " ().-")


@dataclass(frozen=True)
class Phone(FilteredByPresence):
    kind: ClassVar[str] = "phone"
    input_type: ClassVar[str] = "tel"
    needs_region: ClassVar[bool] = True

    def read(self, text: str, locale: ParseLocale) -> str:
        return normalise_phone(text, locale.default_region)

    def parse_in_region(self, text: str, region: str) -> str | None:
        return quick_phone(text, region) if text.strip() else None

    def words(self, value: str, showing: Showing) -> str:
        return show_phone(value)

    def href(self, record: object, text: str) -> str:
        return f"tel:{getattr(record, self.name)}" if text else ""

    def cell_texts(self, values: Sequence[str | None]) -> Sequence[str | None]:
        return [show_phone(value) if value else None for value in values]


def quick_phone(text: str, default_region: str = "") -> str:
    """What `normalise_phone` gives, without the library where that is certain; a test holds both against each other.

    An international number that has no trunk prefix and a usual length is certain.
    """
    if _PLAIN.fullmatch(text):
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
