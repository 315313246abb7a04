"""Text of several lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from markupsafe import Markup

from qikbiz.crm.schema.field import Control
from qikbiz.crm.schema.html import as_typed
from qikbiz.crm.schema.kinds.text import Text


@dataclass(frozen=True)
class LongText(Text):
    kind: ClassVar[str] = "long_text"
    is_wide: ClassVar[bool] = True
    is_free_text: ClassVar[bool] = False
    # Old programs write a line break inside a cell as a vertical tab.
    breaks: ClassVar[Mapping[int, str]] = {0x0B: "\n", 0x0C: "\n"}

    @property
    def control(self) -> Control:
        return "textarea"

    def fact(self, record: object, text: str) -> Markup:
        return as_typed(text)
