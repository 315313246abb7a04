"""A web address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from markupsafe import Markup

from qikbiz.crm.schema.field import Field, ParseLocale
from qikbiz.crm.schema.html import outward_link
from qikbiz.crm.schema.normalize import normalise_url


@dataclass(frozen=True)
class Url(Field):
    kind: ClassVar[str] = "url"
    input_type: ClassVar[str] = "url"
    is_wide: ClassVar[bool] = True

    def read(self, text: str, locale: ParseLocale) -> str:
        return normalise_url(text)

    def fact(self, record: object, text: str) -> Markup | str:
        is_safe = text.startswith(("https://", "http://"))
        return outward_link(text, text.replace("https://", "", 1)) if is_safe else text
