"""The code of a post office: text, of which spreadsheets make numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from qikbiz.crm.schema.kinds.text import Text

_WHOLE_NUMBER = re.compile(r"\d{3,10}[.,]0")
# Their codes have five digits each, some with a zero at the start.
_FIVE_DIGITS = frozenset(
    ["DE", "DZ", "EE", "ES", "FI", "FR", "HR", "IT", "LT", "MA", "ME", "MX", "RS", "TR", "UA", "US"]
)


@dataclass(frozen=True)
class PostalCode(Text):
    """`country` is the field of the address's country: it says how many digits a code has."""

    country: str = "country"

    kind: ClassVar[str] = "postal_code"

    def translate(self, text: str) -> str:
        return text[:-2] if text.endswith((".0", ",0")) and _WHOLE_NUMBER.fullmatch(text) else text

    def complete(self, value: str, given: Mapping[str, Any]) -> str:
        """A code of three or four digits with the zeros that codes of its country must have."""
        is_short = len(value) in (3, 4) and value.isdecimal() and given.get(self.country) in _FIVE_DIGITS
        return value.zfill(5) if is_short else value

    def import_note(self, examples: Sequence[str]) -> str:
        if not any(_WHOLE_NUMBER.fullmatch(text.strip()) for text in examples):
            return ""
        return "A spreadsheet turned these into numbers. Without a country, leading zeros can't be restored."
