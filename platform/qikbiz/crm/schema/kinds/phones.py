"""Several telephone numbers with labels, the primary one first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from qikbiz.crm.schema.kinds.labelled import LabelledList
from qikbiz.crm.schema.kinds.phone import quick_phone
from qikbiz.crm.schema.normalize import show_phone


@dataclass(frozen=True)
class Phones(LabelledList):
    kind: ClassVar[str] = "phones"
    input_type: ClassVar[str] = "tel"
    part: ClassVar[str] = "number"
    labels: ClassVar[tuple[str, ...]] = ("work", "mobile", "home", "fax", "other")

    def entry_in_region(self, text: str, region: str) -> str:
        return quick_phone(text, region)

    def entry_href(self, entry: Mapping[str, str]) -> str:
        return f"tel:{entry[self.part]}"

    def entry_text(self, entry: Mapping[str, str]) -> str:
        return show_phone(entry[self.part])
